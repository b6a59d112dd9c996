"""The content of the pictures in each part of a split: stored permanently for every split that was used.

Stored in the lab's home, not in its cache, and kept when runs are removed, because later runs still depend on it.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path

import numpy as np

from transfer import settings, whole_file
from transfer.datasets import Dataset
from transfer.datasets.corrupted import base
from transfer.datasets.parts import drawn
from transfer.errors import RequestError
from transfer.pictures import own, pack
from transfer.seen import files
from transfer.seen.prints import Parts, Prints

PARTS = ("train", "unlabelled", "validation", "test")


def save(fingerprint: str, parts: Parts) -> None:
    """Stores the pictures of a split under its fingerprint.

    Args:
        fingerprint: fingerprint of the split.
        parts: by the names in `PARTS`; ``train`` has labels, ``unlabelled`` is everything that may be trained on.
    """
    place = _place(fingerprint)
    if place.exists():
        return
    arrays: dict[str, np.ndarray] = {}
    for name, one in parts.items():
        arrays |= {f"{name}_pixels": one.pixels, f"{name}_files": one.files}
        arrays[f"{name}_names"] = np.frombuffer(json.dumps(one.names).encode("utf-8", "surrogateescape"), "uint8")
    # The stubs take the names for savez' own arguments.
    whole_file.write(place, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]  # numpy: no pickle flag


def load(fingerprint: str) -> Parts | None:
    """The pictures of the split with that fingerprint; None if it is unknown or its file is damaged."""
    return _load(_place(fingerprint)) if fingerprint else None


@lru_cache(maxsize=16)
def _read(place: Path, changed: int) -> Parts | None:
    try:
        with np.load(place, allow_pickle=False) as stored:
            return {
                name: Prints(
                    stored[f"{name}_pixels"],
                    stored[f"{name}_files"],
                    tuple(json.loads(bytes(stored[f"{name}_names"]).decode("utf-8", "surrogateescape"))),
                )
                for name in PARTS
            }
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _load(place: Path) -> Parts | None:
    try:
        changed = place.stat().st_mtime_ns
    except OSError:
        return None
    return _read(place, changed)


def _place(fingerprint: str) -> Path:
    return settings.home() / "splits" / f"{fingerprint}.npz"


def remember(dataset: Dataset, published: Parts, labels: np.ndarray) -> None:
    """Stores the content of a published data set, so that `foreseen` knows its splits without loading it."""
    place = _published_place(dataset)
    arrays = {name: one.pixels for name, one in published.items()} | {"labels": labels}
    if not place.exists():
        # The stubs take the names for savez' own arguments.
        whole_file.write(place, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]  # numpy: no pickle flag


def _published_place(dataset: Dataset) -> Path:
    words = f"{dataset.key} {dataset.version}"
    digest = hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:40]
    return settings.cached("contents", f"{digest}.npz")


def foreseen(dataset: Dataset, opened: Dataset, seed: int, labels_per_class: int | None = None) -> Parts | None:
    """The pictures that each part of a split would have; None if finding out would take long.

    Decodes no picture. If a file turns out to be damaged on decoding, the split shifts a little, so
    the engine checks again with the actual pictures.

    Args:
        dataset: the data set to split.
        opened: the same without artificial changes; its pictures count.
        seed: seed of the split.
        labels_per_class: labelled training pictures of each class; None for all.
    """
    try:
        given = _given(opened)
        return None if given is None else _divided(dataset, *given, seed, labels_per_class)
    except (RequestError, OSError):
        return None  # a data set that cannot be opened or split is refused elsewhere, with the reason


def _given(opened: Dataset) -> tuple[Parts, np.ndarray] | None:
    """The published parts, and the labels of the pictures that may be trained on."""
    seen = own.of(base(opened.key))
    if seen is None:
        return _remembered(opened)
    known = files.fingerprints(seen, quick=True)
    if known is None:
        return None
    good = [seen.listing.files[place] for place in seen.good.tolist()]
    pixels = np.zeros(len(good), "uint64")
    made = pack.read(pack.place(seen.listing.stamp, seen.shape))
    if made is not None:  # they have been decoded before
        good, pixels = [good[place] for place in made.facts["place"].tolist()], made.facts["digest"]
    prints = np.array([known[one.name] for one in good], "uint64")
    every = Prints(pixels, prints, tuple(one.name for one in good))
    places = {part: np.flatnonzero([one.part == part for one in good]) for part in ("train", "validation", "test")}
    labels = np.array([one.label for one in good], "int64")[places["train"]]
    return {part: every.take(there) for part, there in places.items() if len(there)}, labels


def _remembered(dataset: Dataset) -> tuple[Parts, np.ndarray] | None:
    try:
        with np.load(_published_place(dataset), allow_pickle=False) as stored:
            labels = stored["labels"]
            parts = {
                name: Prints(stored[name], np.zeros(len(stored[name]), "uint64"))
                for name in stored.files
                if name != "labels"
            }
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return parts, labels


def _divided(
    dataset: Dataset, parts: Parts, labels: np.ndarray, seed: int, labels_per_class: int | None
) -> dict[str, Prints]:
    identities = parts["train"].pixels if parts["train"].pixels.any() else parts["train"].files
    made = drawn(dataset, labels, seed, "test" in parts, "validation" in parts, identities)
    given = {name: parts["train"].take(places) for name, places in made.places(labels_per_class).items()}
    return given | {name: one for name, one in parts.items() if name != "train"}

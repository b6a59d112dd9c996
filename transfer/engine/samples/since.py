"""The pictures of a run's split, found by their content in a data set that has changed since."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np

from transfer import catalog
from transfer.datasets import Published, Samples
from transfer.datasets.corrupted import base
from transfer.engine.samples import cache, identity
from transfer.engine.samples.splits import Split
from transfer.errors import LabError
from transfer.pictures import own
from transfer.seen import contents
from transfer.seen.prints import Parts, joined
from transfer.seen.record import Record
from transfer.texts.kept import Texts

GREY, CROSS = 200, 120
GONE = "(This text is no longer there.)"


class Found:
    """Pictures, some of which may be gone: those are grey with a cross. It indexes like an array.

    Args:
        parts: the pictures that exist now, one part after another.
        places: the index of each picture among them; -1 for one that is gone.
        shape: (height, width, channels).
    """

    dtype = np.dtype("uint8")

    def __init__(self, parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> None:
        self.parts, self.places = parts, places
        self.shape = (len(places), *shape)
        self._first = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: Any) -> np.ndarray:
        wanted = self.places[key]
        if np.ndim(wanted) == 0:
            return self._one(int(wanted))
        found = np.empty((len(wanted), *self.shape[1:]), "uint8")
        for picture, place in zip(found, wanted.tolist(), strict=True):
            picture[...] = self._one(place)
        return found

    def rows(self, key: np.ndarray) -> Found:
        """Some of the pictures, not read yet."""
        return Found(self.parts, self.places[key], self.shape[1:])

    def _one(self, place: int) -> np.ndarray:
        if place < 0:
            return self._gone()
        part = int(np.searchsorted(self._first, place, side="right")) - 1
        return np.asarray(self.parts[part][place - int(self._first[part])])

    def _gone(self) -> np.ndarray:
        height, width, channels = self.shape[1:]
        blank = np.full((height, width, channels), GREY, "uint8")
        rows, columns = np.arange(height), np.arange(height) * width // height
        blank[rows, columns] = blank[rows, width - 1 - columns] = CROSS
        return blank


def as_then(made: Record, labels: np.ndarray) -> Split | None:
    """The split a run used, with every picture that is still there; None if no record says which those were.

    Args:
        made: what the run used.
        labels: of its test pictures, as the run stored them.
    """
    then = contents.load(made.split)
    if then is None or len(then["test"]) != len(labels):
        return None
    try:
        published, prints = _now(made)
    except (LabError, OSError):  # the folder is gone, or nothing of it can be opened
        published, prints = None, {}
    names = [name for name in ("train", "validation", "test") if name in prints]
    parts = [getattr(published, name) for name in names]
    if any(tuple(part.inputs.shape[1:]) != made.shape for part in parts):
        names, parts = [], []
    now = joined([prints[name] for name in names])

    def samples(part: str) -> Samples:
        known = then[part].place_of(now)
        given = np.full(len(known), -1)
        if parts:
            given = np.where(known >= 0, np.concatenate([one.labels for one in parts])[known], -1)
        found = _texts(parts, known) if not made.shape else Found([one.inputs for one in parts], known, made.shape)
        # It indexes like the array it stands for.
        return Samples(cast(np.ndarray, found), labels if part == "test" else given)

    unlabelled = samples("unlabelled")
    return Split(
        samples("train"), samples("validation"), samples("test"), made.split, made.classes, unlabelled.inputs,
        made.published, then,
    )  # fmt: skip


def _texts(parts: list[Samples], known: np.ndarray) -> Texts:
    """The texts at these indices of all parts; -1 is one that is gone."""
    now = [text for one in parts for text in one.inputs]
    return Texts.of(now[place] if place >= 0 and now else GONE for place in known.tolist())


def there(inputs: Any) -> np.ndarray:
    """Indices of the samples that are still there, in order."""
    if isinstance(inputs, Texts):
        return np.array([place for place, text in enumerate(inputs) if text != GONE], "int64")
    return np.flatnonzero(inputs.places >= 0) if isinstance(inputs, Found) else np.arange(len(inputs))


def _now(made: Record) -> tuple[Published, Parts]:
    """What the data set holds now, own pictures at the size they had then, with its fingerprints."""
    dataset, seen = catalog.dataset(made.data), own.of(made.data)
    if seen is not None and base(made.data) == made.data:
        shape = (made.shape[0], made.shape[1], made.shape[2])
        published = own.published(replace(seen, shape=shape))
    else:
        published = cache.load(dataset)
    return published, identity.prints(dataset, published, cache.load)

"""A user's own texts as a data set like any other: read once, and kept until a file changes."""

from __future__ import annotations

import hashlib
import json
import os
import time
import zipfile
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from transfer import settings, whole_file
from transfer.datasets import Dataset, Published, Samples
from transfer.errors import RequestError
from transfer.texts.files import reading
from transfer.texts.files.finishing import PARTS, Found
from transfer.texts.files.source import Folder
from transfer.texts.files.typed import Choices, LeftOut
from transfer.texts.kept import Texts

# Counts up whenever files are read in another way.
LAYOUT = 1
SUMMARY = "Your own texts."
MOST_LEFT_OUT = 1000
MOST_BYTES = 4 * 2**30
_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Known:
    """What is known of files that have been read, without their texts.

    Args:
        stamp: changes whenever a file does, or what was chosen.
        classes: class names in label order.
        count: number of texts.
        said: how they were understood, in plain sentences.
        left_out: where and why, the first thousand.
        left_out_count: how many in all.
        columns: names of the columns that could be chosen.
        chosen: those that were used.
    """

    stamp: str
    classes: tuple[str, ...]
    count: int
    said: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    left_out_count: int = 0
    columns: tuple[str, ...] = ()
    chosen: Choices = field(default_factory=Choices)


# Until when, and what was found.
_seen: dict[tuple[str, str, Choices], tuple[float, Known]] = {}


def afresh() -> None:
    """Makes the next request for any files check them again."""
    _seen.clear()


def looked(place: Path, choices: Choices) -> Known:
    """What is in the files now; within two seconds, or more for very many files, the last answer is given again.

    Args:
        place: a file or a folder.
        choices: of columns.

    Raises:
        RequestError: nothing is there, or nothing that could be learned.
    """
    key = (str(settings.home()), str(place), choices)
    until, known = _seen.get(key, (0.0, None))
    begun = time.monotonic()
    if known is not None and begun < until:
        return known
    reading.is_there(place)
    stamp = _stamp(place, choices)
    # A folder of very many files is not asked for all of them at every click.
    fresh = max(1.0, (time.monotonic() - begun) * 10) * _FRESH_SECONDS
    made = _kept(stamp) or _read(place, choices, stamp)
    _seen[key] = time.monotonic() + fresh, made
    return made


def dataset(key: str, title: str, place: Path, choices: Choices, reference: str) -> Dataset:
    """The files as a data set.

    Args:
        key: as the experiment names it.
        title: on the page.
        place: where they are: a file or a folder.
        choices: of columns.
        reference: where they come from, in words.

    Raises:
        RequestError: nothing is there, or nothing that could be learned.
    """
    seen = looked(place, choices)
    return Dataset(
        key=key,
        title=title,
        summary=SUMMARY,
        classes=seen.classes,
        shape=(),
        count=seen.count,
        licence="your own",
        reference=reference,
        load=partial(published, place, choices),
        modality="text",
        kept=True,
        stamp=seen.stamp,
        understood=seen.said,
    )


def published(place: Path, choices: Choices) -> Published:
    """The texts, in the parts that the files give."""
    stamp = looked(place, choices).stamp
    try:
        parts = _loaded(stamp)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        _read(place, choices, stamp)  # cleared away, or damaged
        parts = _loaded(stamp)
    return Published(parts["train"], parts.get("test"), parts.get("validation"))


def _loaded(stamp: str) -> dict[str, Samples]:
    os.utime(_place(stamp, "npz"))  # it was used just now
    with np.load(_place(stamp, "npz"), allow_pickle=False) as stored:
        return {
            part: Samples(Texts(stored[f"{part}_content"], stored[f"{part}_ends"]), stored[f"{part}_labels"])  # type: ignore[arg-type]  # it indexes like an array
            for part in PARTS
            if f"{part}_ends" in stored.files
        }


def _stamp(place: Path, choices: Choices) -> str:
    words = json.dumps([LAYOUT, Folder(place).stamp, asdict(choices)])
    return hashlib.sha256(words.encode()).hexdigest()


def _place(stamp: str, ending: str) -> Path:
    return settings.cache("texts") / f"{stamp[:40]}.{ending}"


def _kept(stamp: str) -> Known | None:
    """What was found before, which may have been that they cannot be used."""
    try:
        kept: dict[str, Any] = json.loads(_place(stamp, "json").read_text())
        if refused := kept.get("refused"):
            raise RequestError(*refused)
        left = tuple((where, why) for where, why in kept["left_out"])
        chosen = Choices(tuple(kept["chosen"]["text"]), kept["chosen"]["label"], kept["chosen"]["split"])
        return Known(stamp, tuple(kept["classes"]), kept["count"], tuple(kept["said"]), left, kept["left_out_count"],
                     tuple(kept["columns"]), chosen)  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(place: Path, choices: Choices, stamp: str) -> Known:
    try:
        found = reading.from_path(place, choices)
    except RequestError as problem:
        received = None if problem.received is None else str(problem.received)
        whole_file.write(_place(stamp, "json"), json.dumps({"refused": [problem.wrong, received, problem.remedy]}))
        raise
    arrays: dict[str, np.ndarray] = {}
    for part, texts in found.texts.items():
        arrays |= {f"{part}_content": texts.content, f"{part}_ends": texts.ends, f"{part}_labels": found.labels[part]}
    whole_file.write(_place(stamp, "npz"), lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]  # no pickle flag
    _prune(_place(stamp, "npz"))
    made = known(found, stamp)
    whole_file.write(_place(stamp, "json"), json.dumps(asdict(made)))
    return made


def known(found: Found, stamp: str = "") -> Known:
    """What was read, without the texts."""
    return Known(
        stamp, found.classes, len(found), found.said, found.left_out[:MOST_LEFT_OUT], len(found.left_out),
        found.columns, found.chosen,
    )  # fmt: skip


def _prune(newest: Path) -> None:
    """Removes what was used least recently, as long as all of it takes too much of the disk."""
    found = []
    for file in newest.parent.glob("*.npz"):
        try:
            found.append((file.stat().st_mtime, file.stat().st_size, file))
        except OSError:
            continue  # another process was faster
    total = sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if total > MOST_BYTES and file != newest:
            file.unlink(missing_ok=True)
            total -= size

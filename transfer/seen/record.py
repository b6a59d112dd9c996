"""Which pictures a run used, stored with its files, and how they have changed since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from transfer import whole_file
from transfer.datasets import Dataset
from transfer.datasets.corrupted import base
from transfer.errors import DataChanged
from transfer.seen import contents
from transfer.seen.prints import Parts, Prints, joined

FILE = "data.json"


@dataclass(frozen=True)
class Record:
    """A data set as a run used it.

    Args:
        data: its key.
        seed: seed of the split.
        split: fingerprint of the split, under which `transfer.seen.contents` stores its pictures.
        published: fingerprint of the whole data set, whatever the split.
        classes: class names in label order.
        shape: (height, width, channels) of its pictures.
        stamp: stamp of its files; empty for a published data set.
    """

    data: str
    seed: int
    split: str
    published: str
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    stamp: str = ""


@dataclass(frozen=True)
class Changes:
    """How the pictures of a data set differ from those a run used.

    Args:
        added, removed, altered: how many pictures; altered ones have the same name but other content.
        otherwise: any other difference, in words; empty if there is none.
    """

    added: int = 0
    removed: int = 0
    altered: int = 0
    otherwise: str = ""

    @property
    def in_words(self) -> str:
        """``2 added, 1 removed``; empty if nothing has changed."""
        counts = {"added": self.added, "removed": self.removed, "altered": self.altered}
        said = [f"{count:,} {what}" for what, count in counts.items() if count]
        return ", ".join([*said, self.otherwise] if self.otherwise else said)


def read(folder: Path, role: str = "target") -> Record | None:
    """What the run in that folder used as its target or source; None if an older version stored no record."""
    found = _records(folder).get(role)
    if found is None:
        return None
    return Record(**(found | {"classes": tuple(found["classes"]), "shape": tuple(found["shape"])}))


def keep(folder: Path, role: str, made: Record) -> None:
    """Stores the record with the run's files."""
    text = json.dumps(_records(folder) | {role: asdict(made)})
    whole_file.write(folder / FILE, text)


def _records(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError):
        return {}
    return found


def changes(then: Parts, now: Parts) -> Changes:
    """How pictures have changed, judged by their content and names.

    Args:
        then, now: all parts of a split.
    """
    before, after = _all(then), _all(now)
    gone, new = ~before.among(after), ~after.among(before)
    names = set(after.names)
    altered = sum(before.names[place] in names for place in np.flatnonzero(gone)) if before.names else 0
    added = int(new.sum()) - (altered if before.names else 0)
    moved = "" if gone.any() or new.any() else _moved(then, now)
    return Changes(max(0, added), int(gone.sum()) - altered, altered, moved)


def _moved(then: Parts, now: Parts) -> str:
    same = all(len(then[name]) == len(now[name]) and now[name].among(then[name]).all() for name in ("test", "train"))
    return "" if same else "names, labels or parts of pictures"


def since(made: Record, known: Mapping[str, Dataset], sure: bool = False) -> str:
    """What has changed since a run used the data set, in words; empty if nothing has, or if it cannot be known.

    Decodes no picture, and reads files only if there are few of them or they were read before.

    Args:
        made: what the run used.
        known: data sets by key; `get` returns None for one that cannot be opened.
        sure: whether to report nothing if files were written since then and comparing them would take long.
    """
    dataset, opened = known.get(made.data), known.get(base(made.data))
    if dataset is None or opened is None:
        return "it is no longer there, or it cannot be opened"
    if dataset.stamp == made.stamp and dataset.shape == made.shape:
        return ""
    then, now = contents.load(made.split), contents.foreseen(dataset, opened, made.seed)
    said = []
    if dataset.classes != made.classes:
        said.append("its classes")
    if dataset.shape != made.shape:
        said.append(f"the size at which pictures are cached ({made.shape[0]} pixels then, {dataset.shape[0]} now)")
    if then is not None and now is not None:
        said = [one for one in (changes(then, now).in_words,) if one] + said
    elif dataset.stamp and not sure:
        said.append("its files (too many to compare here)")
    return ", ".join(said)


def refuse(made: Record, words: str) -> DataChanged:
    """The error for a run that cannot go on because its pictures have changed."""
    return DataChanged(
        "The pictures have changed since this run began. Resuming could test it on pictures it was trained on.",
        f"{made.data}: {words}", "Put the pictures back as they were and resume, or start the experiment as a new run.",
    )  # fmt: skip


def _all(parts: Parts) -> Prints:
    return joined([parts[name] for name in ("unlabelled", "validation", "test")])

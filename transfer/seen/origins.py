"""Which pictures a data set consists of, however its key is spelled, and which it shares with others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from transfer.datasets import Dataset
from transfer.datasets.corrupted import base
from transfer.errors import RequestError
from transfer.pictures import own, uploads


@dataclass(frozen=True)
class Origins:
    """Where a data set's pictures come from.

    Args:
        name: the same for all spellings of one data set, including its changed variants.
        trained: collections that its training and validation parts are drawn from.
        tested: collections that its test part is drawn from; equal to ``trained`` if the lab draws the test part.
    """

    name: str
    trained: frozenset[str]
    tested: frozenset[str]


def origins(key: str, dataset: Dataset | None) -> Origins:
    """The origins of the data set with that key.

    Args:
        key: as an experiment names it.
        dataset: the data set, or None if it can no longer be opened.
    """
    name = canonical(key)
    alone = frozenset({name})
    if dataset is None:
        return Origins(name, alone, alone)
    trained = frozenset(dataset.drawn_from) or alone
    return Origins(name, trained, frozenset(dataset.tested_from) or _own_test(key, name) or trained)


def _own_test(key: str, name: str) -> frozenset[str]:
    """The test part that comes with a user's folder; empty if it has none."""
    try:
        seen = own.of(base(key))
    except RequestError:
        return frozenset()
    there = seen is not None and any(one.part == "test" for one in seen.listing.files)
    return frozenset({f"{name}, test part"}) if there else frozenset()


def canonical(key: str) -> str:
    """The key without artificial changes, with a folder's real path, and with an upload as its folder."""
    prefix, colon, rest = base(key).partition(":")
    if colon and prefix == "folder":
        return f"folder:{os.path.realpath(Path(rest).expanduser())}"
    if colon and prefix == "upload":
        return f"folder:{os.path.realpath(uploads.place() / rest)}"
    if colon and prefix == "tfds":
        return f"tfds:{rest.partition('/')[0]}"
    return base(key)


def same(one: Dataset, other: Dataset) -> bool:
    """Whether two data sets hold the same pictures, changed in the same way, however their keys are spelled."""
    changes = (each.key.removeprefix(base(each.key)) for each in (one, other))
    return canonical(one.key) == canonical(other.key) and len(set(changes)) == 1

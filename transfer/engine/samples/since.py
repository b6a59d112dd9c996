"""The samples of a run's split, found by their content in a data set that has changed since."""

from __future__ import annotations

from typing import cast

import numpy as np

from transfer import catalog, modalities
from transfer.datasets import Published, Samples
from transfer.engine.samples import cache, identity
from transfer.engine.samples.splits import Split
from transfer.errors import LabError
from transfer.seen import contents
from transfer.seen.prints import Parts, joined
from transfer.seen.record import Record


def as_then(made: Record, labels: np.ndarray, kind: str) -> Split | None:
    """The split a run used, with every sample that is still there; None if no record says which those were.

    Args:
        made: what the run used.
        labels: of its test samples, as the run stored them.
        kind: of the samples.
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
        found = modalities.identity(kind).remaining([one.inputs for one in parts], known, made.shape)
        # It indexes like the array it stands for.
        return Samples(cast(np.ndarray, found), labels if part == "test" else given)

    unlabelled = samples("unlabelled")
    return Split(
        samples("train"), samples("validation"), samples("test"), made.split, made.classes, unlabelled.inputs,
        made.published, then,
    )  # fmt: skip


def _now(made: Record) -> tuple[Published, Parts]:
    """What the data set holds now, at the shape it had then, with its fingerprints."""
    dataset = catalog.dataset(made.data)
    published = modalities.identity(dataset.modality).of_shape(dataset, made.shape) or cache.load(dataset)
    return published, identity.prints(dataset, published, cache.load)

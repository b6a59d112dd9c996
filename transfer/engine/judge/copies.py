"""Test samples that were also trained on: counted, told, and what the accuracy is without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from transfer import modalities
from transfer.engine.judge import metrics
from transfer.engine.samples.splits import Split
from transfer.seen import TrainedOn
from transfer.seen.prints import joined
from transfer.seen.verdict import trained


@dataclass(frozen=True)
class Copies:
    """Samples of a test part that are trained on as well.

    Args:
        exact: which have an exact copy among the samples that are trained on, bool, shape (n,).
        near: which have only one that is nearly equal, bool, shape (n,).
        clashing: samples that occur with different labels, in any parts.
    """

    exact: np.ndarray
    near: np.ndarray
    clashing: int

    @property
    def notes(self) -> list[str]:
        """What a person should know before the run begins."""
        said = []
        if self.exact.any() or self.near.any():
            near = f", {self.near.sum():,} more are nearly equal" if self.near.any() else ""
            said.append(
                f"Of {len(self.exact):,} test pictures {self.exact.sum():,} are exact copies of pictures that are "
                f"trained on{near}: the test accuracy is higher than it would be on new pictures."
            )
        if self.clashing:
            several = "pictures are" if self.clashing > 1 else "picture is"
            said.append(f"{self.clashing:,} {several} there more than once with different labels: some are wrong.")
        return said

    def metrics(self, logits: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
        """For the run's record, by name; the accuracy without them where some are left.

        Args:
            logits: of the test samples, shape (n, classes).
            labels: their class indices, shape (n,).
        """
        found: dict[str, Any] = {
            "test_copies": int(self.exact.sum()),
            "test_near_copies": int(self.near.sum()),
            "label_conflicts": self.clashing,
        }
        apart = ~(self.exact | self.near)
        if apart.any() and not apart.all():
            found["test_accuracy_without_copies"] = metrics.accuracy(logits[apart], labels[apart])
            found["test_count_without_copies"] = int(apart.sum())
        return found


def copies(split: Split, kind: str, unlabelled: bool, trained_on: Sequence[TrainedOn] = ()) -> Copies:
    """Looks for test samples that are trained on, in this run or in what its network has learned before.

    Exact copies are found in any data set; nearly equal ones where the kind of sample can tell (``near`` in its
    ``identity.py``).

    Args:
        split: of the target.
        kind: of its samples.
        unlabelled: whether samples without labels are learned from, too.
        lessons: what the network has learned before.
    """
    learned = [known for training in trained_on if (known := trained(training)) is not None]
    mine = split.prints["unlabelled" if unlabelled else "train"]
    exact = split.prints["test"].among(mine, *learned)
    inputs = split.unlabelled if unlabelled else split.train.inputs
    near = modalities.identity(kind).near(inputs, split.test.inputs) & ~exact
    return Copies(exact, near, _clashing(split))


def _clashing(split: Split) -> int:
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    pixels = joined([split.prints[name] for name in parts]).pixels
    labels = np.concatenate([one.labels for one in parts.values()])
    both = np.unique(np.stack([pixels, labels.astype("uint64")]), axis=1)
    return int((np.unique(both[0], return_counts=True)[1] > 1).sum())

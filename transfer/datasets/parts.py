"""Which sample goes to which part: by its label, the seed, and nothing else, except that copies stay together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transfer.datasets import Dataset
from transfer.errors import ImpossibleExperiment

VALIDATION_SHARE = 0.15
MOST_VALIDATION = 5_000
TEST, VALIDATION, TRAIN = 0, 1, 2


@dataclass(frozen=True)
class Drawn:
    """The samples that the authors give for training, in mixed order, each with its part.

    Args:
        order: places of the samples, shape (n,).
        part: `TEST`, `VALIDATION` or `TRAIN` for each of ``order``.
        rank: position in ``order`` among the samples of the same class and part.
        sizes: samples of each class in test, validation and training, three arrays of shape (classes,).
        moved: whether keeping copies together changed anything.
    """

    order: np.ndarray
    part: np.ndarray
    rank: np.ndarray
    sizes: tuple[np.ndarray, np.ndarray, np.ndarray]
    moved: bool

    def places(self, labels_per_class: int | None = None, kept: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Places of the samples of each part, in mixed order, by its name.

        Args:
            labels_per_class: of ``train``, the labelled samples of each class; None for all. ``unlabelled`` is all
                that may be trained on.
            kept: which samples are not left out, bool, shape (n,); None for all.
        """
        there = np.ones(len(self.order), dtype=bool) if kept is None else kept[self.order]
        labelled = self.part == TRAIN
        if labels_per_class is not None:
            labelled &= self.rank < labels_per_class
        chosen = {
            "train": labelled, "unlabelled": self.part == TRAIN,
            "validation": self.part == VALIDATION, "test": self.part == TEST,
        }  # fmt: skip
        return {name: self.order[there & one] for name, one in chosen.items()}


def drawn(
    dataset: Dataset,
    labels: np.ndarray,
    seed: int,
    has_test: bool = False,
    has_validation: bool = False,
    identities: np.ndarray | None = None,
    without: Sequence[int] = (),
) -> Drawn:
    """Divides the samples that may be trained on; the same seed divides the same labels in the same way.

    One shuffle decides everything: a class's first samples are tested, the next validate and the rest train. Exact
    copies go to one part together, so that no picture is tested that was also trained on. Data without copies is
    divided as if nobody had looked for any. A class that has nothing but copies is divided all the same.

    Args:
        dataset: whose classes and test share these are.
        labels: of the samples, shape (n,).
        seed: 0 or more.
        has_test: whether the authors made a test part, so that none is drawn.
        has_validation: likewise.
        identities: equal for equal samples, shape (n,); None when nobody has looked.
        without: label indices of classes that are left out, which need not be large enough.

    Raises:
        ImpossibleExperiment: a class has too few samples.
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    label, number = labels[order], len(dataset.classes)
    sizes = np.bincount(labels, minlength=number)
    remaining = [one for one in range(number) if one not in set(without)]
    tested, validated = _part_sizes(dataset, sizes, has_test, has_validation, remaining)
    rank = ranks(label, number)
    part = np.where(rank < tested[label], TEST, np.where(rank < (tested + validated)[label], VALIDATION, TRAIN))
    moved = False
    if identities is not None and len(np.unique(identities)) < len(identities):
        together = _together(label, part, identities[order], number)
        moved, part = bool((together != part).any()), together
    by_class = (np.bincount(label[part == one], minlength=number) for one in (TEST, VALIDATION, TRAIN))
    first, second, third = by_class
    return Drawn(order, part, ranks(label + number * part, 3 * number), (first, second, third), moved)


def ranks(labels: np.ndarray, number: int) -> np.ndarray:
    """The position of each sample among those of its class."""
    sizes = np.bincount(labels, minlength=number)
    grouped = np.argsort(labels, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[grouped] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return rank


def _together(label: np.ndarray, part: np.ndarray, identity: np.ndarray, number: int) -> np.ndarray:
    """The parts again, with equal samples in one; each class keeps its numbers where that is possible."""
    _, group = np.unique(identity, return_inverse=True)
    present = [set(label[part == one].tolist()) for one in (TEST, VALIDATION, TRAIN)]
    while True:
        placed = _placed(label, part, group, number)
        lost = {one for place, classes in enumerate(present) for one in classes - set(label[placed == place].tolist())}
        if not lost:
            return placed
        # All of such a class is one picture, or nearly: it can only be divided by tearing its copies apart.
        torn = np.isin(group, group[np.isin(label, list(lost))])
        group = np.where(torn, group.max() + 1 + np.arange(len(group)), group)


def _placed(label: np.ndarray, part: np.ndarray, group: np.ndarray, number: int) -> np.ndarray:
    """Each group, as the shuffle comes to it, goes to the first part that has room for all of it."""
    room = np.stack([np.bincount(label[part == one], minlength=number) for one in (TEST, VALIDATION, TRAIN)])
    members: dict[int, list[int]] = {}
    for place, one in enumerate(group.tolist()):
        members.setdefault(one, []).append(place)
    placed = np.full(len(label), TRAIN)
    for places in members.values():
        needed = np.bincount(label[places], minlength=number)
        goal = next((one for one in (TEST, VALIDATION) if (room[one] >= needed).all()), TRAIN)
        room[goal] -= needed
        placed[places] = goal
    return placed


def _part_sizes(
    dataset: Dataset, sizes: np.ndarray, has_test: bool, has_validation: bool, kept: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """How many of each class test and validate, out of what the authors give for training.

    Only the classes that are kept have to be large enough; the sizes of the others do not matter.
    """
    parts = 3 - has_test - has_validation
    scarcest = min(kept, key=lambda label: sizes[label])
    if sizes[scarcest] < parts:
        raise ImpossibleExperiment(
            f"The data set {dataset.key} cannot be split: each class needs at least {parts} samples.",
            f"{sizes[scarcest]} of the class {dataset.classes[scarcest]!r}",
            "Add samples to that class or leave it out.",
        )
    tested = np.zeros_like(sizes)
    if not has_test:
        tested = _shares(sizes, round(dataset.test_fraction * sizes.sum()), sizes - 2)
    remaining = sizes - tested
    wanted = min(MOST_VALIDATION, round(VALIDATION_SHARE * remaining.sum()))
    validated = np.zeros_like(sizes) if has_validation else _shares(remaining, wanted, remaining - 1)
    return tested, validated


def _shares(sizes: np.ndarray, total: int, most: np.ndarray) -> np.ndarray:
    """``total`` divided over the classes by size: largest remainders, at least 1, at most ``most``.

    A numpy function of its own because importing scikit-learn's train_test_split takes 1.9 s and
    it refuses a total below the number of classes.
    """
    exact = sizes * (total / sizes.sum())
    shares = np.floor(exact).astype(np.int64)
    largest = np.argsort(shares - exact, kind="stable")
    shares[largest[: total - shares.sum()]] += 1
    # A class too small for every part is one that is left out; it gives what it has.
    return np.clip(shares, np.minimum(1, np.maximum(most, 0)), np.maximum(most, 0))

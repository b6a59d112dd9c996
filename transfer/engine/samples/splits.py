"""Splits a data set the same way every time: training, validation, test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from transfer import catalog, counted
from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.parts import drawn
from transfer.engine.samples import cache, identity
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.seen import contents
from transfer.seen.prints import Parts


@dataclass(frozen=True)
class Split:
    """The three disjoint parts of an experiment's data.

    Args:
        train: what weights are learned from, at most ``labels_per_class`` of each class; in mixed order.
        validation: what epochs and rates are chosen by.
        test: used only once, at the end.
        unlabelled: inputs of all that may be trained on, labelled or not; in mixed order, without labels.
        fingerprint: SHA-256 of the published data, the seed and the sizes, 64 hexadecimal digits.
        classes: class names in label order.
        published: SHA-256 of the published data, whatever the split; empty for data that is made up.
        prints: the samples of each part by their content, as `transfer.seen.contents` keeps them; of a data set
            that is changed to order, those it is made from.
    """

    train: Samples
    validation: Samples
    test: Samples
    fingerprint: str
    classes: tuple[str, ...]
    unlabelled: np.ndarray
    published: str = ""
    prints: Parts = field(default_factory=dict)


def split(dataset: Dataset, seed: int, labels_per_class: int | None = None, without: Sequence[int] = ()) -> Split:
    """Training, validation and test set, each with every class in its published proportion.

    The authors' test set is kept when there is one; otherwise ``test_fraction`` is held out.
    Validation is theirs, too, or 15 % of all that is not test, at most 5,000. Neither changes with
    ``labels_per_class``, so that runs with few and many labels are judged by the same samples;
    and the labels for n are among those for n + 1, so that a curve over n shows what a further
    label is worth, not another draw. Misleads when near duplicates lie on both sides: stratified
    chance does not know of writers or photographs. Exact copies stay in one part.

    Args:
        dataset: what to split.
        seed: chooses which samples go where, 0 or more.
        labels_per_class: training labels kept of each class, 0 or more; None for all.
        without: label indices of classes that are left out of all parts; the others keep theirs.

    Raises:
        RequestError: ``labels_per_class`` is below 0.
        ImpossibleExperiment: a class has fewer training labels than asked for, or too few to split.
    """
    if labels_per_class is not None and labels_per_class < 0:
        raise RequestError(
            "The number of labels cannot be negative.", f"labels_per_class {labels_per_class}",
            "Give 0 or more, or leave it empty to use all labels.",
        )  # fmt: skip
    published, digest = cache.load_with_fingerprint(dataset)
    prints = identity.prints(dataset, published, cache.load)
    samples, given = published.train, {"validation": published.validation, "test": published.test}
    made = drawn(dataset, samples.labels, seed, published.test is not None, published.validation is not None,
                 prints["train"].pixels, without)  # fmt: skip
    tested, validated, trained = made.sizes
    _count(dataset, published, tested, validated, trained)
    if labels_per_class is not None:
        counted.check_labels(dataset, trained.tolist(), labels_per_class, without)
        trained = np.full(len(dataset.classes), labels_per_class)
    places = made.places(labels_per_class, ~np.isin(samples.labels, list(without)))
    parts = {name: samples.take(there) for name, there in places.items()}
    kept = {name: prints["train"].take(there) for name, there in places.items()}
    for name, part in given.items():
        if part is not None:
            there = np.flatnonzero(~np.isin(part.labels, list(without)))
            parts[name], kept[name] = part.take(there), prints[name].take(there)
    marks = [np.array(without)] if without else []
    marks += [np.array([1])] if made.moved else []
    found = Split(
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        fingerprint=_split_fingerprint(digest, seed, tested, validated, trained, *marks),
        classes=dataset.classes,
        unlabelled=parts["train" if labels_per_class is None else "unlabelled"].inputs,
        published=digest,
        prints=kept,
    )
    contents.save(found.fingerprint, kept)
    return found


def target_split(experiment: Experiment) -> Split:
    """The target's data, with no more labels in its training part than the experiment grants."""
    target = catalog.dataset(experiment.target)
    without = [target.classes.index(name) for name in experiment.without]
    return split(target, experiment.seed, experiment.labels_per_class, without)


def count(dataset: Dataset) -> counted.Counts:
    """How many samples of each class there are in each part; loads the data set if nobody has counted before."""
    found = counted.known(dataset)
    if found is None:
        split(dataset, 0)
        found = counted.known(dataset)
        assert found is not None, "a split is counted"
    return found


def _count(
    dataset: Dataset, published: Published, tested: np.ndarray, validated: np.ndarray, trained: np.ndarray
) -> None:
    parts: dict[str, list[int]] = {"train": trained.tolist()}
    for name, given, taken in (
        ("validation", published.validation, validated),
        ("test", published.test, tested),
    ):
        counts = taken if given is None else np.bincount(given.labels, minlength=len(dataset.classes))
        parts[name] = counts.tolist()
    counted.remember(dataset, counted.Counts(**parts))


def class_counts(samples: Samples, classes: tuple[str, ...]) -> dict[str, int]:
    """How many samples each class has, in label order; 0 for a class without any."""
    return dict(zip(classes, np.bincount(samples.labels, minlength=len(classes)).tolist(), strict=True))


def _split_fingerprint(digest: str, seed: int, *sizes: np.ndarray) -> str:
    text = f"{digest} seed {seed} sizes {[part.tolist() for part in sizes]}"
    return hashlib.sha256(text.encode()).hexdigest()

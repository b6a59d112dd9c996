"""Loads a data set once and splits it the same way every time: training, validation, test."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from transfer import catalog, counted, settings
from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.parts import drawn
from transfer.engine.samples import identity
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.seen import contents
from transfer.seen.prints import Parts

_DIGEST_LENGTH = 64
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


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
        prints: the pictures of each part by their content, as `transfer.seen.contents` keeps them; of a data set
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


def load(dataset: Dataset) -> Published:
    """The data set as published, from the disk cache after its first load.

    Raises:
        DownloadFailed: it is not here yet and could not be fetched.
    """
    return _load_with_fingerprint(dataset)[0]


def fingerprint(published: Published) -> str:
    """SHA-256 of all pixels and labels, 64 hexadecimal digits; differs when one pixel differs."""
    digest = hashlib.sha256()
    for array in _arrays(published).values():
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        on_disk = getattr(array, "identity", None)  # pictures on disk know theirs without being read again
        digest.update(on_disk.encode() if on_disk else np.ascontiguousarray(array).data)
    return digest.hexdigest()


def split(dataset: Dataset, seed: int, labels_per_class: int | None = None, without: Sequence[int] = ()) -> Split:
    """Training, validation and test set, each with every class in its published proportion.

    The authors' test set is kept when there is one; otherwise ``test_fraction`` is held out.
    Validation is theirs, too, or 15 % of all that is not test, at most 5,000. Neither changes with
    ``labels_per_class``, so that runs with few and many labels are judged by the same pictures;
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
    published, digest = _load_with_fingerprint(dataset)
    prints = identity.prints(dataset, published, load)
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
    """How many pictures of each class there are in each part; loads the data set if nobody has counted before."""
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


def _arrays(published: Published) -> dict[str, np.ndarray]:
    arrays = {"train_inputs": published.train.inputs, "train_labels": published.train.labels}
    if published.test is not None:
        arrays |= {"test_inputs": published.test.inputs, "test_labels": published.test.labels}
    if published.validation is not None:
        arrays |= {"validation_inputs": published.validation.inputs, "validation_labels": published.validation.labels}
    return arrays


def _load_with_fingerprint(dataset: Dataset) -> tuple[Published, str]:
    if dataset.kept:
        published = dataset.load()
        return published, fingerprint(published)
    path = _cache_path(dataset)
    cached = _read(path)
    if cached is None:
        published = dataset.load()
        cached = published, fingerprint(published)
        _write(path, *cached)
    return cached


def _cache_path(dataset: Dataset) -> Path:
    """One file for each data set and version of it.

    When a newer version of the lab cuts or scales a data set in another way, its old pixels are
    not taken for the new ones.
    """
    return settings.cache("data") / f"{dataset.key}-{dataset.version}.cache"


def _read(path: Path) -> tuple[Published, str] | None:
    """What `_write` wrote, or None when it is missing or no longer what was written."""
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        return None
    # Checked before it is parsed: a flipped bit must not become a pixel or a parser's error.
    if hashlib.sha256(content[_DIGEST_LENGTH:]).hexdigest().encode() != content[:_DIGEST_LENGTH]:
        return None
    with np.load(io.BytesIO(content[_DIGEST_LENGTH:]), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    parts = [
        Samples(arrays[f"{name}_inputs"], arrays[f"{name}_labels"]) if f"{name}_inputs" in arrays else None
        for name in ("train", "test", "validation")
    ]
    assert parts[0] is not None
    return Published(parts[0], parts[1], parts[2]), str(arrays["fingerprint"])


def _write(path: Path, published: Published, digest: str) -> None:
    """Keeps the data set: the SHA-256 of what follows, then an uncompressed .npz.

    Written beside the place and moved there, so that a process that dies leaves no half file.
    Goes without a cache when the disk is full: it only saves time.
    """
    buffer = io.BytesIO()
    # The stubs take the arrays' names for savez' own arguments.
    np.savez(buffer, fingerprint=np.array(digest), **_arrays(published))  # type: ignore[arg-type]  # numpy: no pickle flag
    content = buffer.getbuffer()
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            temporary = Path(file.name)
            file.write(hashlib.sha256(content).hexdigest().encode())
            file.write(content)
        os.replace(temporary, path)
    except OSError as problem:
        if problem.errno not in _NO_ROOM:
            raise
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)

"""How many pictures of each class a data set has in each part; known to all once anybody has split it.

The split keeps these numbers for every seed, so they can be looked up before a run, without reading a picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from transfer import settings, whole_file
from transfer.datasets import Dataset
from transfer.errors import ImpossibleExperiment

KIND = "counts"


@dataclass(frozen=True)
class Counts:
    """Pictures of each class, in label order."""

    train: list[int]
    validation: list[int]
    test: list[int]


def known(dataset: Dataset) -> Counts | None:
    """The counts, or None when nobody has split this version of the data set yet; cheap."""
    try:
        return Counts(**json.loads(settings.cached(KIND, _name(dataset)).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def is_here(dataset: Dataset) -> bool:
    """Whether it can be read without a download."""
    return not dataset.download_mb or any(settings.cache("data").glob(f"{dataset.key.replace('/', '_')}-*.cache"))


def remember(dataset: Dataset, counts: Counts) -> None:
    """Keeps the counts, whole or not at all."""
    path = settings.cache(KIND) / _name(dataset)
    if path.exists():
        return
    whole_file.write(path, json.dumps(asdict(counts)))


def check_labels(dataset: Dataset, train: Sequence[int], wanted: int, without: Collection[int] = ()) -> None:
    """Raises `ImpossibleExperiment` when a class has fewer training labels than are asked for.

    Args:
        dataset: whose classes they are.
        train: training pictures of each class, in label order.
        wanted: labels per class.
        without: labels of the classes that are left out, which need none.
    """
    kept = [label for label in range(len(train)) if label not in without]
    scarcest = min(kept, key=lambda label: train[label])
    most = train[scarcest]
    if wanted > most:
        raise ImpossibleExperiment(
            f"The class {dataset.classes[scarcest]!r} of {dataset.key} has only {most} training labels; "
            "its other pictures are kept for validation and test.",
            f"labels_per_class {wanted}",
            f"Give at most {most}, or none for all.",
        )


def most_labels(dataset: Dataset, without: Collection[str] = ()) -> int | None:
    """The most labels per class that can be asked for; None when nobody has counted."""
    found = known(dataset)
    if found is None:
        return None
    return min(count for name, count in zip(dataset.classes, found.train, strict=True) if name not in without)


def _name(dataset: Dataset) -> str:
    words = f"{dataset.key} {dataset.version} {dataset.test_fraction}"
    return f"{hashlib.sha256(words.encode('utf-8', 'surrogateescape')).hexdigest()[:40]}.json"

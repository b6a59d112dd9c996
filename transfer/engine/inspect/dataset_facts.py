"""What a data set holds, before anything is trained: the split, and what its kind shows of samples.

Imports no Keras, so that the page that asks has its answer soon.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transfer.datasets import Dataset
from transfer.engine.samples import splits
from transfer.modalities import looker


def look(dataset: Dataset, seed: int, folder: Path) -> dict[str, Any]:
    """Everything about the data set that can be known without a network.

    Args:
        dataset: of the catalog.
        seed: of the split.
        folder: for what is shown as a picture, made when missing.

    Returns:
        JSON-able: ``counts`` by part in label order; ``fingerprint`` of the split; and what ``look`` of the data set's
        kind adds.

    Raises:
        RequestError: it cannot be opened or split.
        DownloadFailed: it is not here and cannot be fetched.
    """
    split = splits.split(dataset, seed)
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "key": dataset.key,
        "classes": list(dataset.classes),
        "seed": seed,
        "fingerprint": split.fingerprint,
        "counts": {name: list(splits.class_counts(one, dataset.classes).values()) for name, one in parts.items()},
        **looker(dataset.modality).look(dataset, parts, folder),
    }

"""What every sample of a data set is told by; of one that is changed to order, the samples it is made from."""

from __future__ import annotations

from collections.abc import Callable

from transfer import catalog, modalities
from transfer.datasets import Dataset, Published
from transfer.datasets.corrupted import base
from transfer.seen import contents
from transfer.seen.prints import Prints


def prints(dataset: Dataset, published: Published, load: Callable[[Dataset], Published]) -> dict[str, Prints]:
    """The fingerprints of each published part, in the order of its samples.

    Args:
        dataset: which was loaded.
        published: what was loaded.
        load: loads the data set that a changed one is made from.
    """
    key = base(dataset.key)
    if key != dataset.key:
        dataset = catalog.dataset(key)
        published = load(dataset)
    of = modalities.identity(dataset.modality)
    given = {"train": published.train, "validation": published.validation, "test": published.test}
    found = {name: of.prints(dataset, one.inputs) for name, one in given.items() if one is not None}
    if not any(one.files.any() for one in found.values()):  # files have a record of their own
        contents.remember(dataset, found, published.train.labels)
    return found

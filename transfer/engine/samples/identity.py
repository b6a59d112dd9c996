"""What every picture of a data set is told by; of one that is changed to order, the pictures it is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from transfer import catalog, settings
from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.corrupted import base
from transfer.pictures import own, pack
from transfer.pictures.kept import Pictures
from transfer.seen import contents, files
from transfer.seen.prints import Prints, of_pixels, of_texts
from transfer.texts.kept import Texts


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
    given = {"train": published.train, "validation": published.validation, "test": published.test}
    known = own.of(key)
    by_name = {} if known is None else files.fingerprints(known) or {}
    found = {name: _prints(one, by_name) for name, one in given.items() if one is not None}
    if known is None:
        contents.remember(dataset, found, published.train.labels)
    return found


def _prints(samples: Samples, by_name: dict[str, int]) -> Prints:
    if isinstance(samples.inputs, Texts):
        return of_texts(samples.inputs)
    if not isinstance(samples.inputs, Pictures):
        return _kept(np.asarray(samples.inputs))
    made, places = pack.read(samples.inputs.path.parent), samples.inputs.places
    if made is None:  # its room was given to other pictures in this moment
        return of_pixels(samples.inputs)
    names = tuple(made.names[place] for place in places.tolist())
    each = np.array([by_name.get(name, 0) for name in names], "uint64")
    return Prints(made.facts["digest"][places], each, names)


def _kept(pictures: np.ndarray) -> Prints:
    """Of pictures in memory; worked out once, for it takes a second for 70,000."""
    whole = hashlib.sha256(np.ascontiguousarray(pictures).data).hexdigest()
    place = settings.cache("contents") / f"pixels-{whole[:40]}.npy"
    try:
        pixels = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        found = of_pixels(pictures)
        files.write(place, lambda file: np.save(file, found.pixels))
        return found
    return Prints(pixels, np.zeros(len(pixels), "uint64"))

"""How samples that are arrays are told apart: what a kind without an ``identity.py`` of its own uses."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from transfer import settings, whole_file
from transfer.datasets import Dataset, Published
from transfer.seen.prints import Prints, of_arrays


def prints(dataset: Dataset, inputs: Any) -> Prints:
    """The fingerprint of each sample, from its numbers.

    Computed once and cached, because it takes a second for 70,000 pictures.
    """
    samples = np.ascontiguousarray(inputs)
    whole = hashlib.sha256(samples.data).hexdigest()
    place = settings.cache("contents") / f"pixels-{whole[:40]}.npy"
    try:
        each = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        found = of_arrays(samples)
        whole_file.write(place, lambda file: np.save(file, found.pixels))
        return found
    return Prints(each, np.zeros(len(each), "uint64"))


def near(learned: Any, tested: Any) -> np.ndarray:
    """Which tested samples are nearly equal to one that was learned from: none, because nothing is compared."""
    return np.zeros(len(tested), dtype=bool)


def of_shape(dataset: Dataset, shape: tuple[int, ...]) -> Published | None:
    """The data set's own samples at the shape a run used; None if they only come in one shape."""
    return None


def beside(dataset: Dataset) -> dict[str, str]:
    """Files that a run keeps so that new samples are read as its own were; none, for arrays are read as they are."""
    return {}


def remaining(parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> Any:
    """Samples of which some may be gone; see `Remaining`."""
    return Remaining(parts, places, shape)


def there(inputs: Any) -> np.ndarray:
    """Indices of the samples that are still there, in order."""
    return np.flatnonzero(inputs.places >= 0) if isinstance(inputs, Remaining) else np.arange(len(inputs))


class Remaining:
    """Samples of which some may be gone; `blank` stands for those. It indexes like an array.

    Args:
        parts: the samples that exist now, one part after another.
        places: the index of each sample among them; -1 for one that is gone.
        shape: of one sample.
    """

    def __init__(self, parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> None:
        self.parts, self.places = parts, places
        self.shape = (len(places), *shape)
        self.dtype = np.dtype(parts[0].dtype if parts else "uint8")
        self._first = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: Any) -> np.ndarray:
        wanted = self.places[key]
        if np.ndim(wanted) == 0:
            return self._one(int(wanted))
        found = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for sample, place in zip(found, wanted.tolist(), strict=True):
            sample[...] = self._one(place)
        return found

    def rows(self, key: np.ndarray) -> Remaining:
        """Some of the samples, not read yet."""
        return type(self)(self.parts, self.places[key], self.shape[1:])

    def blank(self) -> np.ndarray:
        """What stands for a sample that is gone."""
        return np.zeros(self.shape[1:], self.dtype)

    def _one(self, place: int) -> np.ndarray:
        if place < 0:
            return self.blank()
        part = int(np.searchsorted(self._first, place, side="right")) - 1
        return np.asarray(self.parts[part][place - int(self._first[part])])

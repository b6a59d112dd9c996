"""How texts are told apart: by their words, whatever their case and spaces."""

from __future__ import annotations

from typing import Any

import numpy as np

from transfer.datasets import Dataset
from transfer.modalities.arrays import beside as beside
from transfer.modalities.arrays import near as near
from transfer.modalities.arrays import of_shape as of_shape
from transfer.seen.prints import Prints, of_texts
from transfer.texts.kept import Texts

GONE = "(This text is no longer there.)"


def prints(dataset: Dataset, inputs: Any) -> Prints:
    """The fingerprint of each text."""
    return of_texts(inputs)


def remaining(parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> Texts:
    """Texts of which some may be gone: a sentence stands for those."""
    now = [text for inputs in parts for text in inputs]
    return Texts.of(now[place] if place >= 0 and now else GONE for place in places.tolist())


def there(inputs: Any) -> np.ndarray:
    """Indices of the texts that are still there, in order."""
    return np.array([place for place, text in enumerate(inputs) if text != GONE], "int64")

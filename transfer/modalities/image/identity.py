"""How pictures are told apart: by their pixels, and own ones by their files, too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from transfer.datasets import Dataset, Published
from transfer.datasets.corrupted import base
from transfer.modalities import arrays
from transfer.modalities.arrays import there as there
from transfer.pictures import alike, own, pack, scales
from transfer.pictures.kept import Pictures
from transfer.seen import files
from transfer.seen.prints import Prints, of_arrays

GREY, CROSS = 200, 120
# Comparing more takes longer than a person waits for the first step.
MOST_COMPARED = 20_000


def prints(dataset: Dataset, inputs: Any) -> Prints:
    """The fingerprints of the pictures; own ones match by their files at whatever size they are cached."""
    if not isinstance(inputs, Pictures):
        return arrays.prints(dataset, inputs)
    made, places = pack.read(inputs.path.parent), inputs.places
    if made is None:  # its room was given to other pictures in this moment
        return of_arrays(inputs[place] for place in range(len(inputs)))
    seen = own.of(dataset.key)
    by_name = {} if seen is None else files.fingerprints(seen) or {}
    names = tuple(made.names[place] for place in places.tolist())
    each = np.array([by_name.get(name, 0) for name in names], "uint64")
    return Prints(made.facts["digest"][places], each, names)


def near(learned: Any, tested: Any) -> np.ndarray:
    """Which tested pictures are nearly equal to one that was learned from: saved anew, scaled, a little lighter.

    Looked for among own pictures only, where nothing has to be read for it.
    """
    found = np.zeros(len(tested), dtype=bool)
    facts = [_facts(learned), _facts(tested)]
    count = len(learned)
    if facts[0] is None or facts[1] is None or count + len(found) > MOST_COMPARED:
        return found
    digests, thumbnails = (np.concatenate([one[place] for one in facts if one]) for place in (0, 1))
    for first, second, exact in alike.pairs(digests, thumbnails):
        if not exact and first < count <= second:
            found[second - count] = True
    return found | np.isin(digests[count:], digests[count:][found])


def _facts(inputs: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Digest and thumbnail of each; None of pictures that are not kept on disk."""
    made = pack.read(inputs.path.parent) if isinstance(inputs, Pictures) else None
    return None if made is None else (made.facts["digest"][inputs.places], made.facts["thumbnail"][inputs.places])


def of_shape(dataset: Dataset, shape: tuple[int, ...]) -> Published | None:
    """Own pictures, decoded at the size a run used; None for published ones, which come in one size."""
    seen = own.of(dataset.key)
    if seen is None or base(dataset.key) != dataset.key:
        return None
    return own.published(replace(seen, shape=(shape[0], shape[1], shape[2])))


def beside(dataset: Dataset) -> dict[str, str]:
    """What becomes black and what white in pictures of more than eight bits."""
    return scales.written(dataset.scales)


def remaining(parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> arrays.Remaining:
    """Pictures of which some may be gone: those are grey with a cross."""
    return _Crossed(parts, places, shape)


class _Crossed(arrays.Remaining):
    def blank(self) -> np.ndarray:
        height, width, channels = self.shape[1:]
        blank = np.full((height, width, channels), GREY, "uint8")
        rows, columns = np.arange(height), np.arange(height) * width // height
        blank[rows, columns] = blank[rows, width - 1 - columns] = CROSS
        return blank

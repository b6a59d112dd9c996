"""Batches whose order and augmentation follow from seed, epoch and position alone.

So a run that is resumed in the middle of an epoch sees just what it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from transfer.datasets import Samples
from transfer.modalities import Modality


def batches(
    samples: Samples, size: int, seed: list[int], epoch: int, offset: int = 0, vary: Modality | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The samples of one epoch, inputs and labels, in an order of its own.

    Args:
        samples: inputs may be pictures or features of a frozen prefix.
        size: samples a batch; the last of an epoch may be smaller.
        seed: together with the epoch it fixes order and augmentation.
        epoch: which one, from 0.
        offset: batches to leave out, for a run that is resumed inside the epoch.
        vary: augments pictures, or None to take them as they are.
    """
    order = np.random.default_rng([*seed, epoch]).permutation(len(samples))
    for place in range(offset, -(-len(order) // size)):
        chosen = order[place * size : (place + 1) * size]
        inputs = samples.inputs[chosen]
        if vary is not None:
            inputs = vary.augment(inputs, np.random.default_rng([*seed, epoch, place]))
        yield inputs, samples.labels[chosen]


def draw(samples: Samples, count: int, seed: list[int]) -> Samples:
    """So many samples drawn at random, none twice while there are enough; equal for equal seeds."""
    random = np.random.default_rng(seed)
    return samples.take(random.choice(len(samples), count, replace=count > len(samples)))

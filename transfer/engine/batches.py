"""Batches whose order and augmentation follow from seed, epoch and position alone.

So a run that is resumed in the middle of an epoch sees just what it would have seen.
"""

from __future__ import annotations

import keras
import numpy as np

from transfer.datasets import Samples
from transfer.modalities import Modality


class Batches(keras.utils.PyDataset):
    """The training samples in a new order each epoch.

    Args:
        samples: inputs may be pictures or features of a frozen prefix.
        size: samples a batch; the last of an epoch may be smaller.
        seed: together with the epoch it fixes order and augmentation.
        epoch: the epoch that comes first.
        offset: batches of that epoch to leave out, for a run that is resumed inside it.
        vary: augments pictures, or None to take them as they are.
    """

    def __init__(
        self, samples: Samples, size: int, seed: list[int], epoch: int, offset: int = 0, vary: Modality | None = None
    ) -> None:
        super().__init__()
        self.samples, self.size, self.seed, self.vary = samples, size, seed, vary
        self.epoch, self.offset = epoch, offset
        self._begun = False
        self._order = self._shuffled()

    def __len__(self) -> int:
        return -(-len(self.samples) // self.size) - self.offset

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        # Keras reads ahead from another thread, even past an epoch's end: nothing here may keep state.
        epoch, order = self._order
        place = index + self.offset
        chosen = order[place * self.size : (place + 1) * self.size]
        inputs = self.samples.inputs[chosen]
        if self.vary is not None:
            inputs = self.vary.augment(inputs, np.random.default_rng([*self.seed, epoch, place]))
        return inputs, self.samples.labels[chosen]

    def on_epoch_begin(self) -> None:
        """Shuffles anew for every epoch but the first, whose order is already there."""
        if self._begun:
            self.epoch += 1
            self._order = self._shuffled()
        self._begun = True

    def _shuffled(self) -> tuple[int, np.ndarray]:
        return self.epoch, np.random.default_rng([*self.seed, self.epoch]).permutation(len(self.samples))

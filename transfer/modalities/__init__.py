"""Kinds of sample. Adding one is one new file here, named for the kind, with the functions of `Modality`.

A modality brings samples of any shape to what a backbone reads and varies them for augmentation.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    import keras


class Modality(Protocol):
    """What a file in this folder defines."""

    def entrance(self, shape: tuple[int, ...], size: int, channels: int) -> keras.Model:
        """A model without weights from raw samples of ``shape`` to the backbone's input."""

    def augment(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The samples, each varied a little; same shape and type, equal for equal generators."""

    def view(self, name: str, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The samples ``plain``, ``weak`` (varied a little) or ``strong`` (varied much); as for `augment`."""


def modality(key: str) -> Modality:
    """The modality of that key; its file is imported only now."""
    return cast(Modality, importlib.import_module(f"transfer.modalities.{key}"))

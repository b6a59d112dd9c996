"""What tests of a loss by hand need: random numbers, and steps of which only some things are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from transfer.strategies import Outputs, Step

RANDOM = np.random.default_rng(0)


def values(*shape: int) -> np.ndarray:
    """Random numbers."""
    return RANDOM.normal(size=shape).astype("float32")


def step(**given: Any) -> Step:
    """A step of which only some things are known."""
    empty: dict[str, Any] = {"labels": None, "logits": None, "features": None, "weights": {}}
    return Step(**{**empty, **given})


def outputs(**given: Any) -> Outputs:
    """Outputs of which only some are known."""
    return Outputs(**{**dict.fromkeys(("logits", "features", "maps")), **given})


def number(value: Any) -> float:
    """A tensor's number."""
    return float(ops.convert_to_numpy(value))


def softened(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax at a temperature, by NumPy."""
    raised = np.exp(logits / temperature)
    return raised / raised.sum(axis=1, keepdims=True)

"""Keras' optimisers with a learning rate for each stage, which Keras itself has not."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


class _Rates:
    """Multiplies the learning rate of each variable by its own rate.

    The rate scales the step after momentum and second moments were taken, so under Adam a stage at
    rate r moves exactly as a lone optimiser with r times the learning rate would.
    """

    rates: list[float]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable's step, at its own rate."""
        rate = self.rates[self._get_variable_index(variable)]  # type: ignore[attr-defined]  # Keras' own base has it
        super().update_step(gradient, variable, learning_rate * rate)  # type: ignore[misc]  # mixed into an optimiser


class StagedAdam(_Rates, keras.optimizers.Adam):
    """Adam."""


class StagedAdamW(_Rates, keras.optimizers.AdamW):
    """AdamW; the decay is not scaled by the rates."""


class StagedSGD(_Rates, keras.optimizers.SGD):
    """SGD."""


class StagedRMSprop(_Rates, keras.optimizers.RMSprop):
    """RMSprop."""


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """Up for three tenths of the steps, from a fifth of the peak, then down to almost nothing.

    Reference:
        Smith & Topin 2018, Super-Convergence; shape and defaults (pct_start 0.3, div 5,
        final div 1e4, cosine halves) as in fastai.
    """

    def __init__(self, peak: float, steps: int) -> None:
        super().__init__()
        self.peak, self.steps = peak, max(1, steps)

    def __call__(self, step: Any) -> Any:
        """The learning rate at ``step``."""
        place = ops.cast(step, "float32") / self.steps
        rise = ops.clip(place / 0.3, 0.0, 1.0)
        fall = ops.clip((place - 0.3) / 0.7, 0.0, 1.0)
        up = 0.2 + 0.8 * (1 - ops.cos(math.pi * rise)) / 2
        down = 1e-4 + (1 - 1e-4) * (1 + ops.cos(math.pi * fall)) / 2
        return self.peak * ops.where(place < 0.3, up, down)

    def get_config(self) -> dict[str, Any]:
        """What the schedule was made of."""
        return {"peak": self.peak, "steps": self.steps}


def schedule(name: str, learning_rate: float, steps: int) -> Any:
    """A learning rate that follows ``name`` (constant, cosine, one_cycle) over ``steps`` steps."""
    if name == "cosine":
        return keras.optimizers.schedules.CosineDecay(learning_rate, max(1, steps))
    if name == "one_cycle":
        return OneCycle(learning_rate, steps)
    return learning_rate


def optimizer(name: str, learning_rate: Any, rates: list[float]) -> keras.optimizers.Optimizer:
    """The optimiser of that name; ``rates`` follow the order of the trainable variables."""
    made: Any
    if name == "sgd":
        made = StagedSGD(learning_rate, momentum=0.9)
    elif name == "adamw":
        made = StagedAdamW(learning_rate, weight_decay=1e-4)
    elif name == "rmsprop":
        made = StagedRMSprop(learning_rate)
    else:
        made = StagedAdam(learning_rate)
    made.rates = rates
    return made

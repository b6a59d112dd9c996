"""Keras' optimisers with a learning rate for each stage, which Keras itself has not."""

from __future__ import annotations

import math
from typing import Any

import keras


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


def share_of_peak(schedule: str, done: float) -> float:
    """The learning rate over its peak, 0 to 1.

    It goes by how much of a phase is done, so that it ends where it should whether epochs, images or seconds count.

    Args:
        schedule: ``constant``; ``cosine``, from the peak down to 0; ``one_cycle``, up for three tenths of the
            phase from a fifth of the peak, then down to almost nothing.
        done: how much of the phase is done as a step begins, 0 to 1.

    Reference:
        Cosine: Loshchilov & Hutter 2017, SGDR, eq. 5, without restarts. One cycle: Smith & Topin 2018,
        Super-Convergence; shape and defaults (pct_start 0.3, div 5, final div 1e4, cosine halves) as in fastai.
    """
    if schedule == "cosine":
        return _half_cosine(1.0, 0.0, done)
    if schedule == "one_cycle":
        return _half_cosine(0.2, 1.0, done / 0.3) if done < 0.3 else _half_cosine(1.0, 1e-4, (done - 0.3) / 0.7)
    return 1.0


def _half_cosine(begin: float, end: float, done: float) -> float:
    return end + (begin - end) * (1 + math.cos(math.pi * min(1.0, max(0.0, done)))) / 2


def optimizer(name: str, learning_rate: float, rates: list[float]) -> keras.optimizers.Optimizer:
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

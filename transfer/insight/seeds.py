"""What several seeds say together: a mean, and how far it could be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with its interval.

    Args:
        mean: of the values.
        low, high: the 95 % interval of the mean; None with fewer than two seeds, of which nobody knows the spread.
        count: how many seeds.
    """

    mean: float
    low: float | None
    high: float | None
    count: int

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None

    def above(self, other: Spread) -> bool:
        """Whether the whole interval lies above the other's; never while one of them is unknown."""
        return self.low is not None and other.high is not None and self.low > other.high


def spread(values: Sequence[float] | np.ndarray, lowest: float = -math.inf, highest: float = math.inf) -> Spread:
    """Mean and 95 % interval of a figure over seeds.

    It tells what another set of seeds would average to. It misleads with two or three seeds when they happen
    to agree: their interval is then short by luck. Student's t widens it for few seeds.

    Args:
        values: one a seed, at least one.
        lowest, highest: limits of what is possible, 0 and 1 for an accuracy; the interval ends there.

    Returns:
        The `Spread`; without an interval for a single value.

    Reference:
        Student 1908; mean +- t(n - 1, 0.975) s / sqrt(n), s with n - 1.
    """
    given = np.asarray(values, float)
    mean = float(given.mean())
    if len(given) < 2:
        return Spread(mean, None, None, len(given))
    half = float(_half(given))
    return Spread(mean, max(lowest, mean - half), min(highest, mean + half), len(given))


def _half(values: np.ndarray) -> np.ndarray:
    """Half the interval's length, over the first axis, of two values or more."""
    count = len(values)
    wide: np.ndarray = stdtrit(count - 1, (1 + LEVEL) / 2) * values.std(axis=0, ddof=1) / math.sqrt(count)
    return wide


def band(
    curves: Sequence[tuple[np.ndarray, np.ndarray]], lowest: float = -math.inf, highest: float = math.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean curve and band over seeds: x, mean, low, high.

    The band is the interval of `spread` at every x; of a single curve, low and high are the mean.
    It misleads beyond where the shortest curve ends: fewer seeds go on there, so nothing is drawn beyond it.

    Args:
        curves: (x, y) of each seed, x ascending, shapes (n,); curves may have their own x.
        lowest, highest: limits of y.
    """
    filled = [(np.asarray(x, float), np.asarray(y, float)) for x, y in curves if len(x)]
    if not filled:
        return (np.empty(0),) * 4
    first, last = max(x[0] for x, _ in filled), min(x[-1] for x, _ in filled)
    grid = np.unique(np.concatenate([x for x, _ in filled]))
    grid = grid[(grid >= first) & (grid <= last)]
    if not len(grid):
        return (np.empty(0),) * 4
    heights = np.stack([np.interp(grid, x, y) for x, y in filled])
    mean = heights.mean(axis=0)
    half = _half(heights) if len(heights) > 1 else np.zeros_like(mean)
    return grid, mean, np.maximum(lowest, mean - half), np.minimum(highest, mean + half)

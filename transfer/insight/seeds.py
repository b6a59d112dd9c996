"""What several seeds say together: a mean, and how far it could be off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from transfer.engine.judge.metrics import wilson

LEVEL = 0.95
EQUAL = 1e-12


@dataclass(frozen=True)
class Spread:
    """A mean over seeds with its interval.

    Args:
        mean: of the values.
        low, high: the 95 % interval of the mean; None where it is unknown how far the mean could be off.
        count: number of seeds.
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
        """Whether the whole interval lies above the other's; never if either is unknown."""
        return self.low is not None and other.high is not None and self.low > other.high


def spread(
    values: Sequence[float] | np.ndarray, lowest: float = -math.inf, highest: float = math.inf, pictures: int = 0
) -> Spread:
    """Mean and 95 % interval of a figure over seeds.

    It estimates what another set of seeds would average to. Seeds that agree by luck are no certainty: an accuracy's
    interval is never shorter than that of the pictures it was measured on; for any other figure the interval is then
    unknown. It misleads where several seeds share test pictures: those count once for each seed.

    Args:
        values: one per seed, at least one.
        lowest, highest: limits of what is possible, 0 and 1 for an accuracy; the interval ends there.
        pictures: number of pictures an accuracy was measured on, all seeds together; 0: it is not an accuracy.

    Returns:
        The `Spread`; without an interval for a single value, and for equal values that are not accuracies.

    Reference:
        Student 1908; mean +- t(n - 1, 0.975) s / sqrt(n), s with n - 1. With pictures: the union of this and Wilson's
        interval (1927) of the mean.
    """
    given = np.asarray(values, float)
    mean = float(given.mean())
    if len(given) < 2 or (not pictures and np.ptp(given) < EQUAL):
        return Spread(mean, None, None, len(given))
    half = float(_half(given))
    low, high = mean - half, mean + half
    if pictures:
        least, most = wilson(mean * pictures, pictures)
        low, high = min(low, least), max(high, most)
    return Spread(mean, max(lowest, low), min(highest, high), len(given))


def difference(ours: Sequence[float], theirs: Sequence[float], pictures: int) -> Spread:
    """How much higher one accuracy is than another, seed by seed, with its 95 % interval.

    The same seed has the same split and the same labels: what a lucky choice of those gives to both cancels out.
    Differences that are equal in all seeds are no certainty either: the interval is never shorter than that of two
    shares of that many pictures. It is somewhat too long where both are right on the same pictures.

    Args:
        ours, theirs: one accuracy per seed, in the same order.
        pictures: number of pictures each was measured on, all seeds together; 0 if unknown.

    Reference:
        Student 1908 on the differences, as in `spread`; with pictures the union of this and Newcombe's interval
        (1998, method 10), which is made of two of Wilson's.
    """
    one, other = np.asarray(ours, float), np.asarray(theirs, float)
    plain = spread(one - other, -1.0, 1.0)
    if len(one) < 2 or not pictures:
        return plain
    (first, second), gap = (float(one.mean()), float(other.mean())), plain.mean
    (low1, high1), (low2, high2) = (wilson(share * pictures, pictures) for share in (first, second))
    low = gap - math.hypot(first - low1, high2 - second)
    high = gap + math.hypot(high1 - first, second - low2)
    if plain.low is not None and plain.high is not None:
        low, high = min(low, plain.low), max(high, plain.high)
    return Spread(gap, max(-1.0, low), min(1.0, high), len(one))


def _half(values: np.ndarray) -> np.ndarray:
    """Half the interval's length along the first axis, for two values or more."""
    count = len(values)
    wide: np.ndarray = stdtrit(count - 1, (1 + LEVEL) / 2) * values.std(axis=0, ddof=1) / math.sqrt(count)
    return wide


def band(
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
    lowest: float = -math.inf,
    highest: float = math.inf,
    pictures: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean curve and band over seeds: x, mean, low, high.

    The band is the interval of `spread` at every x; for a single curve, low and high are the mean.
    It would mislead beyond the end of the shortest curve, where fewer seeds go on, so nothing is drawn there.

    Args:
        curves: (x, y) of each seed, x ascending, shapes (n,); curves may have their own x.
        lowest, highest: limits of y.
        pictures: as for `spread`.
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
    low, high = mean - half, mean + half
    if pictures and len(heights) > 1:
        floor = np.array([wilson(share * pictures, pictures) for share in mean])
        low, high = np.minimum(low, floor[:, 0]), np.maximum(high, floor[:, 1])
    return grid, mean, np.maximum(lowest, low), np.minimum(highest, high)

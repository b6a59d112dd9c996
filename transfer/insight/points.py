"""Which points of a history are drawn, and which epoch was the best."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd
from tsdownsample import MinMaxLTTBDownsampler

Axis = Literal["epoch", "step", "seconds"]
MOST = 1_000
BEST_RULE = "highest validation accuracy; at equal accuracy the lower loss"


def split_of(history: pd.DataFrame, split: str, domain: str | None = "target") -> pd.DataFrame:
    """The points of one split, of one domain or (None) of both, in order; empty when there are none."""
    if history.empty:
        return history
    chosen = history["split"] == split
    return history[chosen if domain is None else chosen & (history["domain"] == domain)]


def blind(history: pd.DataFrame) -> bool:
    """Whether the run has no target labels to choose by: it is judged without them and none is trained on."""
    train = split_of(history, "train")
    judged = "entropy" in history and history["entropy"].notna().any()
    return bool(judged) and not ("accuracy" in train and train["accuracy"].notna().any())


def best(history: pd.DataFrame) -> pd.Series | None:
    """The validation point the run's weights are kept from, by `BEST_RULE`, the first of equals; None before any.

    Of a run without target labels, which has nothing to choose by, it is the last.
    """
    points = split_of(history, "validation")
    if points.empty or "accuracy" not in points:
        return None
    points = points.dropna(subset=["accuracy", "loss"])
    if points.empty:
        return None
    if blind(history):
        return points.iloc[-1]
    ranked = points.sort_values(["accuracy", "loss"], ascending=[False, True], kind="stable")
    return ranked.iloc[0]


def thin(x: np.ndarray, y: np.ndarray, keep: Iterable[int] = (), most: int = MOST) -> np.ndarray:
    """Positions of at most about ``most`` points that still show the curve's shape, in order.

    First, last, lowest and highest point stay, both ends of every stretch that is not a number,
    and those in ``keep``. Misleads only in density: where points lie close, many share a pixel.

    Args:
        x: positions, ascending, shape (n,).
        y: values, shape (n,), NaN allowed.
        keep: positions that must stay (best epoch, phase changes).
        most: how many may stay, about; 10 or more.

    Reference:
        Van Der Donckt et al. 2023, MinMaxLTTB (the library tsdownsample).
    """
    count = len(y)
    if count <= most:
        return np.arange(count)
    finite = np.isfinite(y)
    numbers = np.flatnonzero(finite)
    after, before = np.r_[finite[1:], True], np.r_[True, finite[:-1]]
    edges = np.flatnonzero(~finite & (after | before))
    must = {0, count - 1, *edges.tolist(), *(index for index in keep if 0 <= index < count)}
    if len(numbers):
        must |= {int(numbers[y[numbers].argmin()]), int(numbers[y[numbers].argmax()])}
        room = max(4, most - len(must))
        if len(numbers) > room:
            values = (np.ascontiguousarray(part[numbers], dtype=np.float64) for part in (x, y))
            numbers = numbers[MinMaxLTTBDownsampler().downsample(*values, n_out=room).astype(np.int64)]
        must |= set(numbers.tolist())
    return np.array(sorted(must), dtype=np.int64)

"""One plain sentence for each curve, computed from its points; screen readers read it aloud."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from transfer.insight.points import best, split_of
from transfer.insight.words import percent

RISING, LEVEL, PATIENT = 3, 8, 10
NOTICEABLE = 0.005


def about_accuracy(history: pd.DataFrame, classes: int, source: str = "", counted: int = 100) -> str:
    """What the accuracy curve says.

    Args:
        history: one row per point, see `Lab.history`.
        classes: of the target.
        source: title of the source data set, for its part of the curve.
        counted: pictures in the validation split; the fewer, the higher the accuracy has to be to beat chance.
    """
    points = split_of(history, "validation").dropna(subset=["accuracy"]) if not history.empty else history
    guess = 1 / classes
    if points.empty:
        return _on_source(history, "accuracy", source) or (
            f"Nothing is trained yet. Guessing among {classes} classes is right {percent(guess)} of the time: "
            "the dashed line."
        )
    first, last = float(points["accuracy"].iloc[0]), float(points["accuracy"].iloc[-1])
    clear = guess + 1.96 * math.sqrt(guess * (1 - guess) / max(1, counted))
    if len(points) == 1:
        where = (
            f"clearly above chance ({percent(guess)})" if first > clear else f"no better than chance ({percent(guess)})"
        )
        return f"Before the first step on the target, validation accuracy is {percent(first)}: {where}."
    above = points[points["accuracy"] > clear]
    if above.empty:
        return f"Not clearly above chance ({percent(guess)}) yet: validation accuracy {percent(last)}."
    return _risen(history, points, first, last, float(above["epoch"].iloc[0]))


def _risen(history: pd.DataFrame, points: pd.DataFrame, first: float, last: float, since: float) -> str:
    top = points["accuracy"].max()
    # Where this accuracy was first reached; the best epoch may come later, with a lower loss.
    reached = points["epoch"].iloc[int(points["accuracy"].argmax())]
    if last < first - NOTICEABLE and top == first:
        return f"Validation accuracy {percent(last)}: so far, training has lowered it from {percent(first)}."
    said = f"Validation accuracy {percent(last)}"
    if len(points) > 1 and points["accuracy"].nunique() == 1 and points["loss"].nunique() == 1:
        return f"{said}, the same as before the first step."
    if since > 0:
        said += f", above chance since epoch {since:g}"
    elif last - first > NOTICEABLE:
        said += f", {100 * (last - first):.0f} points higher than before the first step"
    if points["epoch"].iloc[-1] - reached >= PATIENT:
        level = f"{said}; no higher since epoch {reached:g}" + ("" if last == top else f" (best {percent(top)})")
        chosen = best(history)
        # The same accuracy came again later, which is where the star is.
        if chosen is not None and chosen["accuracy"] == top and chosen["epoch"] > reached:
            return f"{level}; the star at epoch {chosen['epoch']:g} has the same accuracy with a lower loss."
        return f"{level}."
    return f"{said}; {_train_is_lower(history, points, last) or 'still improving'}."


def _train_is_lower(history: pd.DataFrame, points: pd.DataFrame, last: float) -> str:
    train = split_of(history, "train")
    epoch = points["epoch"].iloc[-1]
    if train.empty or epoch > RISING or "accuracy" not in train:
        return ""
    lately = train[train["epoch"] > epoch - 1]["accuracy"].mean()
    if not lately < last - 0.02:
        return ""
    return "training accuracy is lower, as is normal early on"


def about_loss(history: pd.DataFrame, classes: int, source: str = "") -> str:
    """What the loss curve says; arguments as for `about_accuracy`."""
    blind = math.log(classes)
    train = split_of(history, "train", None)
    if not train.empty and not np.isfinite(train["loss"].to_numpy(float)).all():
        return "The loss is no longer a number: the steps were too large. Lower the learning rate."
    points = split_of(history, "validation").dropna(subset=["loss"]) if not history.empty else history
    if points.empty:
        return _on_source(history, "loss", source) or (
            f"Loss measures how unexpected the right answer was; guessing among {classes} classes gives {blind:.2f}."
        )
    loss = points["loss"].to_numpy(float)
    if len(loss) == 1:
        return f"Before the first step on the target, validation loss is {loss[0]:.2f}; guessing gives {blind:.2f}."
    return _trend(loss, _falls(split_of(history, "train")), blind)


def _trend(loss: np.ndarray, train_falls: bool, blind: float) -> str:
    rising = rising_for(loss)
    low = int(loss.argmin())
    if rising >= RISING:
        ending = " while training loss falls: overfitting likely." if train_falls else ": overfitting likely."
        return f"Validation loss has risen for {rising} epochs{ending}"
    if loss[-1] > blind:
        return f"Validation loss {loss[-1]:.2f} is worse than guessing ({blind:.2f}): confident, and often wrong."
    since = len(loss) - 1 - low
    if since >= LEVEL and loss[-1] > loss[low] * 1.05:
        return (
            f"Validation loss was lowest {since} epochs ago ({loss[low]:.2f}, now {loss[-1]:.2f}): overfitting likely."
        )
    recent = loss[-LEVEL:]
    if len(recent) == LEVEL and np.ptp(recent) < 0.02 * max(recent.mean(), 1e-9):
        return f"Validation loss has been flat for {LEVEL} epochs, at {loss[-1]:.2f}."
    if since == 0:
        return f"Validation loss is falling: {loss[-1]:.2f}, from {loss[0]:.2f} before the first step."
    return (
        f"Validation loss {loss[-1]:.2f}, lowest {loss[low]:.2f}; it fluctuates a little, as it does with few pictures."
    )


def rising_for(values: np.ndarray) -> int:
    """For how many epochs, up to the last, each value was above the one before."""
    count = 0
    for now, before in zip(values[:0:-1], values[-2::-1], strict=True):
        if not now > before:
            break
        count += 1
    return count


def _falls(train: pd.DataFrame) -> bool:
    losses = train["loss"].to_numpy(float) if not train.empty else np.empty(0)
    quarter = max(1, len(losses) // 4)
    return len(losses) >= 2 and losses[-quarter:].mean() < losses[: max(1, len(losses) - quarter)].mean()


def about_moved(distances: Mapping[str, float]) -> str:
    """Which stages moved most and which not at all, in one sentence.

    A distance is not a gain: a stage can move far without helping.

    Args:
        distances: relative L2 distance from the start by stage, bottom to top; at least one above 0.
    """
    still = [name for name, far in distances.items() if far == 0]
    most = max(distances, key=lambda name: distances[name])
    said = f"{most} has moved furthest, by {percent(distances[most], 1)} of its size"
    if still:
        said += f"; {' and '.join([', '.join(still[:-1]), still[-1]] if len(still) > 1 else still)} not at all"
    return said + "."


def _on_source(history: pd.DataFrame, value: str, source: str) -> str:
    """How training on the source, or of the teacher, is going; empty before its first point."""
    teacher = split_of(history, "validation", "teacher")
    if not teacher.empty:
        last, after = teacher.iloc[-1], _epochs(len(teacher) - 1)
        if value == "accuracy":
            return f"Training the teacher on the target: validation accuracy {percent(last['accuracy'])} after {after}."
        return f"Training the teacher on the target: validation loss {last['loss']:.2f} after {after}."
    points = split_of(history, "validation", "source")
    if points.empty:
        return ""
    last, name = points.iloc[-1], source or "the source"
    begun = f"Training on the source, {name}"
    if len(points) == 1:
        return f"{begun}: no epoch is finished yet."
    if value == "accuracy":
        return f"{begun}: validation accuracy {percent(last['accuracy'])} after {_epochs(len(points) - 1)}."
    return f"{begun}: validation loss {last['loss']:.2f} after {_epochs(len(points) - 1)}."


def _epochs(count: int) -> str:
    return f"{count} epoch" + ("" if count == 1 else "s")

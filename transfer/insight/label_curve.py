"""Accuracy against labels per class: who is ahead with how many, and how many labels transfer saves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from transfer.insight import race
from transfer.insight.race import Arm
from transfer.insight.seeds import Spread, spread


@dataclass(frozen=True)
class LabelCurve:
    """One way of learning, with several numbers of labels.

    Args:
        name: of the way.
        strategy: its key.
        labels: a class, ascending, shape (n,); all there are count as what a class has on average.
        accuracy: test accuracy at each, over seeds.
        by_seed: test accuracy at each, shape (n,), of every seed that has all of them.
    """

    name: str
    strategy: str
    labels: np.ndarray
    accuracy: tuple[Spread, ...]
    by_seed: Mapping[int, np.ndarray]

    @property
    def means(self) -> np.ndarray:
        """Mean accuracies, shape (n,)."""
        return np.array([one.mean for one in self.accuracy])


def curves(several: Sequence[Arm]) -> list[LabelCurve]:
    """The competitors that differ only in labels as curves; those with a single number of labels are left out."""
    ways: dict[str, list[Arm]] = {}
    for arm in several:
        dump = arm.experiment.model_dump()
        same = sorted((name, str(value)) for name, value in dump.items() if name not in ("seed", "labels_per_class"))
        if arm.test is not None and arm.experiment.labels_per_class != 0:
            ways.setdefault(str(same), []).append(arm)
    found = []
    for together in ways.values():
        ordered = sorted(together, key=_labels)
        if len(ordered) < 2:
            continue
        by_seed = [{run.experiment.seed: run.metrics["test_accuracy"] for run in arm.ended} for arm in ordered]
        common = set.intersection(*(set(one) for one in by_seed))
        name = ordered[0].name.replace(race.in_words("labels_per_class", ordered[0].experiment.labels_per_class), "")
        found.append(
            LabelCurve(
                name.strip(", ") or race.in_words("strategy", ordered[0].experiment.strategy),
                ordered[0].experiment.strategy,
                np.array([_labels(arm) for arm in ordered]),
                tuple(arm.test for arm in ordered if arm.test),
                {seed: np.array([one[seed] for one in by_seed]) for seed in sorted(common)},
            )
        )
    return found


def _labels(arm: Arm) -> float:
    asked = arm.experiment.labels_per_class
    if asked is not None:
        return float(asked)
    pictures = [run.metrics.get("train_pictures", 0) * run.metrics.get("chance", 0.1) for run in arm.ended]
    return float(np.mean(pictures)) if pictures else math.inf


def crossings(labels: np.ndarray, one: np.ndarray, other: np.ndarray) -> list[tuple[float, float]]:
    """Where one curve passes the other, as (labels per class, accuracy); straight lines over the logarithm of labels.

    It misleads with few seeds: two curves that lie within each other's bands cross by chance.

    Args:
        labels: a class, ascending, above 0, shape (n,).
        one, other: accuracies at those, shape (n,).
    """
    x, gap = np.log(labels), one - other
    found = []
    for at in range(len(gap) - 1):
        left, right = gap[at], gap[at + 1]
        if left * right < 0:
            share = left / (left - right)
            found.append(
                (float(np.exp(x[at] + share * (x[at + 1] - x[at]))), float(one[at] + share * (one[at + 1] - one[at])))
            )
        elif left == 0 and at and gap[at - 1] * right < 0:
            found.append((float(labels[at]), float(one[at])))
    return found


def labels_needed(accuracy: float, labels: np.ndarray, heights: np.ndarray) -> float | None:
    """How many labels per class a curve needs for an accuracy; None when it never gets there.

    Between two points a straight line over the logarithm of labels; a curve that is there with its fewest labels
    needs at most those.
    """
    reached = np.flatnonzero(heights >= accuracy)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return float(labels[0])
    share = (accuracy - heights[at - 1]) / (heights[at] - heights[at - 1])
    return float(np.exp(np.log(labels[at - 1]) + share * (np.log(labels[at]) - np.log(labels[at - 1]))))


@dataclass(frozen=True)
class Saved:
    """Labels that transfer saves.

    Args:
        name: of the way.
        labels: a class that it used.
        saved: further labels per class that from scratch needs for the same accuracy, over seeds; None when from
            scratch did not get there with any seed, however many labels it had.
        beyond: how many seeds of from scratch never got there; they count with the most labels tried.
        most: labels per class that from scratch had at most.
    """

    name: str
    labels: float
    saved: Spread | None
    beyond: int
    most: float


def labels_saved(curve: LabelCurve, scratch: LabelCurve) -> list[Saved]:
    """At every number of labels: how many more from scratch needs to be as good, seed by seed.

    Below 0 transfer costs labels. It misleads near the top, where a hair of accuracy is worth many labels, and
    where from scratch never gets there: the most labels tried are then a lower bound.
    """
    found = []
    seeds = sorted(set(curve.by_seed) & set(scratch.by_seed))
    for place, used in enumerate(curve.labels):
        needed = [labels_needed(curve.by_seed[seed][place], scratch.labels, scratch.by_seed[seed]) for seed in seeds]
        if not needed:
            continue
        reached = [one for one in needed if one is not None]
        most = float(scratch.labels[-1])
        values = [(most if one is None else one) - float(used) for one in needed]
        saved = spread(values) if reached else None
        found.append(Saved(curve.name, float(used), saved, len(needed) - len(reached), most))
    return found


def frame(several: Sequence[LabelCurve]) -> pd.DataFrame:
    """A row a way, a column a number of labels: those that transfer saves against from scratch, in words.

    Empty when from scratch is not among the curves.
    """
    scratch = next((one for one in several if one.strategy == race.SCRATCH), None)
    ways = [one for one in several if one.strategy != race.SCRATCH]
    if scratch is None or not ways:
        return pd.DataFrame()
    rows = [
        {"Way": way.name} | {f"with {one.labels:.3g} a class": in_words(one) for one in labels_saved(way, scratch)}
        for way in ways
    ]
    return pd.DataFrame(rows)


def in_words(saved: Saved) -> str:
    """Labels saved a class, with their interval: ``29.6 (19.2 to 39.9)``."""
    if saved.saved is None:
        return f"never reached with {saved.most:.3g}"
    band = "" if saved.saved.low is None else f" ({saved.saved.low:.3g} to {saved.saved.high:.3g})"
    return f"{'at least ' if saved.beyond else ''}{saved.saved.mean:.3g}{band}"

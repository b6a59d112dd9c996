"""What a race came to: its competitors, their table and a verdict that names no winner while bands overlap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from transfer import catalog
from transfer.experiment import Experiment
from transfer.insight.seeds import Spread, spread
from transfer.insight.words import percent

SCRATCH = "from_scratch"
ENDED = ("finished", "stopped")
BROKEN = ("failed", "interrupted", "paused")


class Ran(Protocol):
    """What is read of a run."""

    @property
    def id(self) -> str: ...  # noqa: D102  # as a Run has it
    @property
    def state(self) -> Any: ...  # noqa: D102  # as a Run has it
    @property
    def experiment(self) -> Experiment: ...  # noqa: D102  # as a Run has it
    @property
    def metrics(self) -> dict[str, Any]: ...  # noqa: D102  # as a Run has it
    @property
    def seconds(self) -> float: ...  # noqa: D102  # as a Run has it


@dataclass(frozen=True)
class Arm:
    """One competitor: the same experiment with several seeds.

    Args:
        name: what tells it from the others.
        experiment: with the first of its seeds.
        runs: one a seed.
    """

    name: str
    experiment: Experiment
    runs: tuple[Ran, ...]

    @property
    def scratch(self) -> bool:
        """Whether it begins with random weights."""
        return self.experiment.strategy == SCRATCH

    @cached_property
    def ended(self) -> list[Ran]:
        """The runs that came to a test score; one that was stopped has not spent the budget and does not count."""
        scored = [run for run in self.runs if run.metrics.get("test_accuracy") is not None]
        return [run for run in scored if run.state != "stopped"]

    @cached_property
    def test(self) -> Spread | None:
        """Test accuracy over seeds, None before any."""
        return spread([run.metrics["test_accuracy"] for run in self.ended], 0.0, 1.0) if self.ended else None

    def figure(self, name: str) -> Spread | None:
        """One of the metrics over seeds; None where no run has it."""
        values = [float(run.metrics[name]) for run in self.ended if run.metrics.get(name) is not None]
        return spread(values) if values else None


def arms(runs: Sequence[Ran]) -> list[Arm]:
    """The runs by competitor, in the order of their first runs; runs that differ only in seed are one."""
    found: dict[str, list[Ran]] = {}
    for run in runs:
        found.setdefault(_same(run.experiment, "seed"), []).append(run)
    several = [one[0].experiment for one in found.values()]
    named = names(several)
    return [Arm(name, one[0].experiment, tuple(one)) for name, one in zip(named, found.values(), strict=True)]


def _same(experiment: Experiment, *but: str) -> str:
    """What two experiments have in common that differ in these fields only."""
    # Not by a copy that is checked again: a run of an older version may no longer be possible.
    return str(sorted((name, str(value)) for name, value in experiment.model_dump().items() if name not in but))


def names(experiments: Sequence[Experiment]) -> list[str]:
    """A name for each that tells them apart: the strategy, and in words whatever else differs between them."""
    dumps = [one.model_dump() for one in experiments]
    fields = [name for name in Experiment.model_fields if len({str(dump.get(name)) for dump in dumps}) > 1]
    shown = [name for name in fields if name not in ("seed", "strategy")]
    # A strategy that needs no labels is not told from the others by having none.
    if len({dump.get("labels_per_class") for dump in dumps if not _unlabelled(dump)}) < 2:
        shown = [name for name in shown if name != "labels_per_class"]
    said = []
    for dump in dumps:
        parts = [in_words(name, dump.get(name)) for name in shown]
        first = [in_words("strategy", dump["strategy"])] if "strategy" in fields or not parts else []
        said.append(", ".join([*first, *(part for part in parts if part)]))
    return said


def _unlabelled(dump: Mapping[str, Any]) -> bool:
    strategy = catalog.strategies().get(str(dump.get("strategy")))
    return strategy is not None and strategy.unlabelled


def in_words(field: str, value: Any) -> str:
    """One field's value as people say it: ``LoRA``, ``5 labels a class``, ``seed 3``."""
    known: dict[str, Mapping[str, Any]] = {
        "strategy": catalog.strategies(),
        "backbone": catalog.backbones(),
        "target": catalog.datasets(),
        "source": catalog.datasets(),
    }
    if field in known:
        title = str(getattr(known[field].get(str(value)), "title", value or "none"))
        return f"from {title}" if field == "source" else title
    if field == "labels_per_class":
        return "all labels" if value is None else f"{value} label{'' if value == 1 else 's'} a class"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items())
    words = field.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    return f"{words} {'as usual' if value is None else value}"


def last_accuracy(points: pd.DataFrame) -> float | None:
    """The last validation accuracy of a run; None before any.

    Args:
        points: the run's validation points on the target, in order.
    """
    known = points["accuracy"].dropna() if "accuracy" in points else pd.Series(dtype=float)
    return float(known.iloc[-1]) if len(known) else None


def table(several: Sequence[Arm], points: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a competitor, the best test score first: figures are means over the seeds that have ended.

    Args:
        several: the competitors.
        points: validation points on the target, by run.

    Returns:
        Columns: name, ended and asked seeds, best and last validation accuracy, test accuracy with low and high
        (None with one seed), seconds, trainable weights, peak memory in MB.
    """
    rows = []
    for arm in several:
        last = [last_accuracy(points[run.id]) for run in arm.ended if run.id in points]
        test, best = arm.test, arm.figure("validation_accuracy")
        seconds, learn, memory = (arm.figure(name) for name in ("seconds", "trainable_weights", "peak_memory_mb"))
        numbers = [one for one in last if one is not None]
        rows.append(
            {
                "name": arm.name,
                "ended": len(arm.ended),
                "seeds": len(arm.runs),
                "best": best.mean if best else None,
                "last": float(np.mean(numbers)) if numbers else None,
                "test": test.mean if test else None,
                "low": test.low if test else None,
                "high": test.high if test else None,
                "seconds": seconds.mean if seconds else None,
                "trainable": learn.mean if learn else None,
                "memory": memory.mean if memory else None,
            }
        )
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values("test", ascending=False, kind="stable", na_position="last")


def groups(several: Sequence[Arm]) -> list[tuple[str, list[Arm]]]:
    """The competitors by data set and labels a class, each group with its heading; one without a heading is all.

    Only within a group is a higher score a merit: another data set is another task, and with more labels everybody
    is better. Who needs no labels runs with every number of them. Where labels are all that differs, they are what
    is compared, and nothing is split.
    """
    targets = list(dict.fromkeys(arm.experiment.target for arm in several))
    amounts = list(dict.fromkeys(arm.experiment.labels_per_class for arm in several if not _unlabelled_arm(arm)))
    found = []
    for target in targets:
        there = [arm for arm in several if arm.experiment.target == target]
        split = len({_same(arm.experiment, "seed", "labels_per_class") for arm in there}) > 1 and len(amounts) > 1
        for labels in amounts if split else [None]:
            runs = [
                run for arm in there for run in arm.runs
                if not split or _unlabelled_arm(arm) or arm.experiment.labels_per_class == labels
            ]  # fmt: skip
            heading = [in_words("target", target)] if len(targets) > 1 else []
            heading += [in_words("labels_per_class", labels)] if split else []
            if runs:
                found.append((", ".join(heading), arms(runs)))
    return [("", list(several))] if len(found) == 1 else found


def _unlabelled_arm(arm: Arm) -> bool:
    return arm.experiment.labels_per_class == 0


def verdicts(several: Sequence[Arm]) -> list[tuple[str, str]]:
    """The `verdict` of every group of competitors that may be compared, with the group's heading."""
    if live := _to_come(several):
        return [("", live)]
    return [(heading, verdict(group)) for heading, group in groups(several)]


def _to_come(several: Sequence[Arm]) -> str:
    """What is said while runs are still to come; else nothing."""
    runs = [run for arm in several for run in arm.runs]
    done, broken = (sum(run.state in states for run in runs) for states in (ENDED, BROKEN))
    if done + broken == len(runs):
        return ""
    return f"No verdict yet: {done} of {len(runs)} runs have ended.{_broken(several)}"


def _broken(several: Sequence[Arm]) -> str:
    runs = [run for arm in several for run in arm.runs]
    broken = sum(run.state in BROKEN for run in runs)
    stopped = sum(run.state == "stopped" for run in runs)
    said = f" {broken} of {len(runs)} runs failed or were interrupted." if broken else ""
    return said + (f" {stopped} of {len(runs)} were stopped before their time and do not count." if stopped else "")


def verdict(several: Sequence[Arm]) -> str:
    """Who won, in a sentence; nobody while the best one's band overlaps another's, or while runs are still to come.

    The bands are 95 % intervals of the mean test accuracy over seeds. It misleads as a word on other data: it
    holds for this target, these labels and this budget.
    """
    if live := _to_come(several):
        return live
    beside = _broken(several)
    known = sorted((arm for arm in several if arm.test), key=lambda arm: -_mean(arm))
    if not known:
        return f"No run came to a test score.{beside}"
    first, others = known[0], known[1:]
    if not others:
        return f"{_with_band(first)}: there is nobody to compare with.{beside}"
    alone = [arm.name for arm in known if not (arm.test and arm.test.known)]
    if alone:
        return (
            f"One seed names no winner: {_listed(alone)} ran with a single one. Highest so far is "
            f"{_with_band(first)}. Repeat with three more seeds.{beside}"
        )
    close = [arm for arm in others if not _test(first).above(_test(arm))]
    if close:
        return (
            f"No winner can be named: {_with_band(first)} is highest, but its band overlaps that of "
            f"{_listed([_with_band(arm) for arm in close])}. More seeds make bands narrower.{beside}"
        )
    behind = f"{100 * (_mean(first) - _mean(others[0])):.1f} points ahead of {_with_band(others[0])}"
    return f"{_with_band(first)} is best, {behind}; no band overlaps its own.{beside}"


def _test(arm: Arm) -> Spread:
    assert arm.test is not None, "only competitors with a score are compared"
    return arm.test


def _mean(arm: Arm) -> float:
    return _test(arm).mean


def _with_band(arm: Arm) -> str:
    test = _test(arm)
    if test.low is None or test.high is None:
        return f"{arm.name} ({percent(test.mean, 1)})"
    return f"{arm.name} ({percent(test.mean, 1)}, {100 * test.low:.1f} to {100 * test.high:.1f})"


def _listed(said: Sequence[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"

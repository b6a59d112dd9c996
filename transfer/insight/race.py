"""The result of a race: its competitors, their table, and a verdict that names no winner if chance may explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from transfer import catalog
from transfer.experiment import Experiment
from transfer.insight import facts
from transfer.insight.seeds import Spread, difference, spread
from transfer.insight.words import percent

SCRATCH = "from_scratch"
LIVE = ("queued", "running")
ENDED = ("finished", "stopped")
BROKEN = ("failed", "interrupted", "paused")
MOST_LISTED = 4
NUMBERS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}


class Ran(facts.Ran, Protocol):
    """The parts of a run that are read here."""

    @property
    def id(self) -> str: ...  # noqa: D102  # as a Run has it
    @property
    def state(self) -> Any: ...  # noqa: D102  # as a Run has it
    @property
    def seconds(self) -> float: ...  # noqa: D102  # as a Run has it


@dataclass(frozen=True)
class Arm:
    """One competitor: the same experiment with several seeds.

    Args:
        name: what tells it apart from the others.
        experiment: with the first of its seeds.
        runs: one per seed.
    """

    name: str
    experiment: Experiment
    runs: tuple[Ran, ...]

    @property
    def scratch(self) -> bool:
        """Whether it starts from random weights."""
        return self.experiment.strategy == SCRATCH

    @cached_property
    def ended(self) -> list[Ran]:
        """The runs with a test score; a stopped run has not spent its budget and does not count."""
        scored = [run for run in self.runs if run.metrics.get("test_accuracy") is not None]
        return [run for run in scored if run.state != "stopped"]

    @cached_property
    def test(self) -> Spread | None:
        """Test accuracy over seeds; None before there is any."""
        scores = [run.metrics["test_accuracy"] for run in self.ended]
        return spread(scores, 0.0, 1.0, pictures(self.ended, "test_count")) if scores else None

    def figure(self, name: str) -> Spread | None:
        """One of the metrics over seeds; None if no run has it."""
        values = [float(run.metrics[name]) for run in self.ended if run.metrics.get(name) is not None]
        return spread(values) if values else None


def pictures(runs: Sequence[Ran], name: str) -> int:
    """How many pictures all runs together were measured on; 0 if one does not say.

    Args:
        runs: runs that have ended.
        name: of the metric, ``test_count`` or ``validation_pictures``.
    """
    counts = [int(run.metrics.get(name) or 0) for run in runs]
    return sum(counts) if all(counts) else 0


def arms(runs: Sequence[Ran]) -> list[Arm]:
    """The runs by competitor, in the order of their first runs; runs that differ only in seed are one competitor."""
    found: dict[str, list[Ran]] = {}
    for run in runs:
        found.setdefault(_same(run.experiment, "seed"), []).append(run)
    several = [one[0].experiment for one in found.values()]
    named = names(several)
    return [Arm(name, one[0].experiment, tuple(one)) for name, one in zip(named, found.values(), strict=True)]


def _same(experiment: Experiment, *but: str) -> str:
    """A text that is the same for experiments that differ in these fields only."""
    # Not from a copy, which would be validated again: a run of an older version may no longer be possible.
    return str(sorted((name, str(value)) for name, value in experiment.model_dump().items() if name not in but))


def names(experiments: Sequence[Experiment]) -> list[str]:
    """A name for each that tells them apart: the strategy, and in words whatever else differs."""
    dumps = [one.model_dump() for one in experiments]
    fields = [name for name in Experiment.model_fields if len({str(dump.get(name)) for dump in dumps}) > 1]
    shown = [name for name in fields if name not in ("seed", "strategy")]
    # Having no labels does not tell apart a strategy that needs none.
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
    """One field's value in words: ``LoRA``, ``5 labels per class``, ``seed 3``."""
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
        return "all labels" if value is None else f"{value} label{'' if value == 1 else 's'} per class"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items())
    words = field.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    return f"{words} {'as usual' if value is None else value}"


def last_accuracy(points: pd.DataFrame) -> float | None:
    """The last validation accuracy of a run; None before there is any.

    Args:
        points: the run's validation points on the target, in order.
    """
    known = points["accuracy"].dropna() if "accuracy" in points else pd.Series(dtype=float)
    return float(known.iloc[-1]) if len(known) else None


def table(several: Sequence[Arm], points: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per competitor, the best test score first; figures are means over the seeds that have ended.

    Args:
        several: the competitors.
        points: validation points on the target, by run.

    Returns:
        Columns: name, ended and requested seeds, best and last validation accuracy, test accuracy with low and high
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
    """The competitors by data set and labels per class, each group with its heading; a single group has none.

    Scores are only comparable within a group: another data set is another task, and with more labels everyone
    does better. A competitor that needs no labels is in every group. Where only the labels differ, they are what is
    compared, and nothing is split.
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
    """The `verdict` on every group of competitors that may be compared, with the group's heading.

    There is none if the data changed between the runs.
    """
    if live := _to_come(several):
        return [("", live)]
    if mixed := facts.mixed_data([run for arm in several for run in arm.ended]):
        return [("", mixed)]
    return [(heading, _with_remarks(group)) for heading, group in groups(several)]


def _with_remarks(group: Sequence[Arm]) -> str:
    """The verdict, and which competitors had seen more labels than they are allowed."""
    return " ".join([verdict(group), *filter(None, (facts.more_labels(arm.name, arm.ended) for arm in group))])


def _to_come(several: Sequence[Arm]) -> str:
    """The verdict while runs are still to come; otherwise empty."""
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
    return said + (f" {stopped} of {len(runs)} were stopped early and do not count." if stopped else "")


def lead(one: Arm, other: Arm) -> Spread | None:
    """How much higher one's test accuracy is than the other's, over the seeds that both finished; None without any."""
    ours = {run.experiment.seed: run for run in one.ended}
    theirs = {run.experiment.seed: run for run in other.ended}
    seeds = facts.paired(ours, theirs)
    if not seeds:
        return None
    pairs = [(ours[seed].metrics["test_accuracy"], theirs[seed].metrics["test_accuracy"]) for seed in seeds]
    each = (pictures([found[seed] for seed in seeds], "test_count") for found in (ours, theirs))
    return difference([first for first, _ in pairs], [second for _, second in pairs], min(each))


def beats(one: Arm, other: Arm) -> bool:
    """Whether one's test accuracy is higher than the other's by more than chance may explain."""
    found = lead(one, other)
    if found is None or found.low is None:  # too few seeds in common to be paired
        return _test(one).above(_test(other))
    return found.low > 0


def verdict(several: Sequence[Arm]) -> str:
    """Who won, in a sentence; nobody while chance may explain the lead, or while runs are still to come.

    Test accuracies are compared seed by seed with 95 % intervals, see `difference`. It misleads when taken as a
    statement about other data: it holds for this target, these labels and this budget. Among many competitors one may
    come out ahead by luck.
    """
    if live := _to_come(several):
        return live
    beside = _broken(several)
    known = sorted((arm for arm in several if arm.test), key=lambda arm: -_mean(arm))
    if not known:
        return f"No run has a test score.{beside}"
    first, others = known[0], known[1:]
    if not others:
        return f"{_with_band(first)}: there is nothing to compare it with.{beside}"
    if any(_test(arm).count < 2 for arm in known):
        return _one_seed(known) + beside
    close = [arm for arm in others if not beats(first, arm)]
    if close:
        return (
            f"{_no_winner(known, close)}: {_with_band(first)} is highest, but its lead over "
            f"{_listed([_with_band(arm) for arm in close])} may be chance. Run more seeds to find out.{beside}"
        )
    return f"{_with_band(first)} is best, {_ahead(first, others[0])} ahead of {_with_band(others[0])}.{beside}"


def _one_seed(known: Sequence[Arm]) -> str:
    """What can be said while a competitor has only one seed."""
    alone = [arm.name for arm in known if _test(arm).count < 2]
    who = "" if len(alone) == len(known) else f" of {_listed(alone)}"
    gap = 100 * (_mean(known[0]) - _mean(known[1]))
    return (
        f"One seed{who}: can't say who is best. {_with_band(known[0])} is highest, {gap:.1f} points above "
        f"{_with_band(known[1])}, but another seed may reverse that. Run three more seeds."
    )


def _no_winner(known: Sequence[Arm], close: Sequence[Arm]) -> str:
    """That nobody won and, if so, that all those in front beat from scratch."""
    scratch = [arm for arm in known if arm.scratch]
    ways = [arm for arm in known if not arm.scratch]
    better = [arm for arm in ways if len(scratch) == 1 and beats(arm, scratch[0])]
    if len(better) < 2 or any(arm not in better for arm in (known[0], *close)):
        return "No winner"
    gaps = [round(100 * (_mean(arm) - _mean(scratch[0]))) for arm in better]
    by = f"{min(gaps)} to {max(gaps)}" if min(gaps) < max(gaps) else f"{gaps[0]}"
    who = _listed([arm.name for arm in better])
    if len(better) == len(ways):
        who = "Both" if len(ways) == 2 else f"All {NUMBERS.get(len(ways), len(ways))}"
    return f"{who} beat from scratch by {by} points; among them there is no winner"


def _ahead(first: Arm, second: Arm) -> str:
    """The lead in words, with its interval if the seeds are the same."""
    found = lead(first, second)
    if found is None or found.low is None or found.high is None:
        return f"{100 * (_mean(first) - _mean(second)):.1f} points"
    return f"{100 * found.mean:.1f} points ({100 * found.low:.1f} to {100 * found.high:.1f}, seed by seed)"


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
    if len(said) > MOST_LISTED:
        return f"{', '.join(said[: MOST_LISTED - 1])} and {len(said) - MOST_LISTED + 1} others"
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"

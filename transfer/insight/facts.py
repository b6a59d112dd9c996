"""Warnings about a run's figures: what its network had seen before, copies in its test set, changed data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from transfer.experiment import Experiment
from transfer.insight.words import counted, percent


class Ran(Protocol):
    """The parts of a run that are read here."""

    @property
    def experiment(self) -> Experiment: ...  # noqa: D102  # as a Run has it
    @property
    def metrics(self) -> dict[str, Any]: ...  # noqa: D102  # as a Run has it
    @property
    def environment(self) -> dict[str, Any]: ...  # noqa: D102  # as a Run has it


def remarks(metrics: Mapping[str, Any]) -> list[str]:
    """Warnings about a run's test, the most serious first; empty if there are none.

    Args:
        metrics: of a run; those of an older version give no warning.
    """
    said = [str(one) for one in metrics.get("remarks", [])]
    copies, near = metrics.get("test_copies", 0), metrics.get("test_near_copies", 0)
    if copies or near:
        count = metrics.get("test_count", 0)
        words = (
            f"{copies:,} of the {count:,} test pictures were also trained on as exact copies, {near:,} as near copies."
        )
        without = metrics.get("test_accuracy_without_copies")
        if without is not None:
            words += f" Without them the accuracy is {percent(without, 1)}"
            words += f" on {counted(metrics.get('test_count_without_copies', 0), 'picture')}."
        said.append(words)
    if conflicts := metrics.get("label_conflicts", 0):
        said.append(
            f"{counted(conflicts, 'picture appears', 'pictures appear')} with different labels: some labels are wrong."
        )
    return said


def more_labels(name: str, runs: Sequence[Ran]) -> str:
    """A warning that a competitor's networks had learned more labels than it allows; empty if none had."""
    seen = [run for run in runs if run.metrics.get("more_labels_seen")]
    if not seen:
        return ""
    labels = seen[0].experiment.labels_per_class
    return (
        f"{name}: the network had learned more labels of these training pictures before than the {labels} per class "
        "allowed here. Its accuracy does not come from so few labels alone."
    )


def version(run: Ran) -> str:
    """Which data a run was trained and tested on, whatever its seed; empty if an older version did not record it."""
    return str(run.environment.get("published", {}).get(run.experiment.target, ""))


def paired(ours: Mapping[int, Ran], theirs: Mapping[int, Ran]) -> list[int]:
    """The seeds that both ran with on the same pictures, in order.

    Args:
        ours, theirs: runs by seed.
    """
    both = sorted(set(ours) & set(theirs))
    return [seed for seed in both if len({version(one[seed]) for one in (ours, theirs)} - {""}) < 2]


def mixed_data(runs: Sequence[Ran]) -> str:
    """A warning that runs on one target had different data; empty if they had the same, or did not record it."""
    by_target: dict[str, dict[str, list[int]]] = {}
    for run in runs:
        if found := version(run):
            by_target.setdefault(run.experiment.target, {}).setdefault(found, []).append(run.experiment.seed)
    for target, versions in by_target.items():
        if len(versions) > 1:
            seeds = "; ".join(f"seeds {', '.join(map(str, sorted(set(one))))}" for one in versions.values())
            return (
                f"{target} has changed between these runs: they were trained and tested on different pictures "
                f"({seeds}). Averages over all of them mean nothing. Run them again on the pictures as they are now."
            )
    return ""

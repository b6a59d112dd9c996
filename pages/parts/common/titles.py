"""Runs, experiments and plug-ins in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from transfer import catalog
from transfer.experiment import Experiment

if TYPE_CHECKING:
    from transfer.lab import Run

ICONS = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/play_circle:",
    "paused": ":material/pause_circle:",
    "finished": ":material/check_circle:",
    "stopped": ":material/stop_circle:",
    "failed": ":material/error:",
    "interrupted": ":material/power_off:",
}


def title(catalog_of: dict[str, Any], key: str | None) -> str:
    """The title of a plug-in, or its key when it is no longer installed."""
    return getattr(catalog_of.get(key or ""), "title", key or "none")


def in_words(experiment: Experiment) -> str:
    """An experiment in a few words: ``Fine-tuning · optdigits from MNIST-5k · 1 label per class``."""
    labels = experiment.labels_per_class
    known = catalog.datasets()
    learned = title(known, experiment.target)
    strategy = catalog.strategies().get(experiment.strategy)
    if experiment.source and not (strategy and strategy.start == "random"):
        learned += f" from {title(known, experiment.source)}"
    amount = "all labels" if labels is None else f"{labels} label{'s' if labels != 1 else ''} per class"
    amount = "no target labels" if labels == 0 else amount
    return f"{title(catalog.strategies(), experiment.strategy)} · {learned} · {amount}"


def in_a_list(run: Run) -> str:
    """A run as a line in a list: its time, its experiment, its seed."""
    when = datetime.fromtimestamp(run.created).strftime("%H:%M")
    return f"{when} {in_words(run.experiment)} · seed {run.experiment.seed}"


def names(runs: Sequence[Run]) -> dict[str, str]:
    """A short, distinct name for each run: the settings that differ, else its id."""
    dumps = {run.id: run.experiment.model_dump() for run in runs}
    fields = [
        name
        for name in Experiment.model_fields
        if name != "strategy" and len({str(dump.get(name)) for dump in dumps.values()}) > 1
    ]
    named: dict[str, str] = {}
    for run in runs:
        parts = [title(catalog.strategies(), run.experiment.strategy)]
        parts += [f"{field.replace('_', ' ')} {_short(dumps[run.id].get(field))}" for field in fields]
        name = ", ".join(parts)
        named[run.id] = name if name not in named.values() else f"{name} ({run.id[-4:]})"
    return named


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {one}" for key, one in value.items()) or "as usual"
    return "default" if value is None else str(value)

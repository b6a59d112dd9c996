"""Prints a run's events on a terminal, or line by line into a pipe."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from transfer.engine.events import Event, Note, PhaseBegan, Point, Resumed, Stage


class Follower:
    """Prints stages, phases and epochs, with a progress bar if ``console`` is a terminal. Use it in ``with``.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._bar.add_task("queued", total=None) if self._bar else None
        self._stage = ""

    def __call__(self, event: Event) -> None:
        """Handles an event."""
        if isinstance(event, Stage):
            self._show(event)
        elif isinstance(event, PhaseBegan):
            trained = f"{event.trainable:,} of {event.weights:,} weights are trained"
            self.say(f"{event.domain}, phase {event.index + 1}: {event.name} ({event.epochs} epochs, {trained})")
        elif isinstance(event, Note):
            self.say(event.text)
        elif isinstance(event, Resumed):
            self.say(f"resumed from a checkpoint at {event.domain} step {event.step}")
        elif isinstance(event, Point) and event.split == "validation":
            self.say(f"{event.domain} epoch {event.epoch:g}: {_figures(event.values)}")

    def say(self, text: str) -> None:
        """Writes a line above the bar."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Follower:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def _show(self, stage: Stage) -> None:
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=stage.text, completed=stage.done, total=stage.total or None)
        elif stage.text != self._stage:
            self.say(stage.text)
        self._stage = stage.text


def _figures(values: dict[str, float]) -> str:
    first = [f"validation {name} {values[name]:.4f}" for name in ("accuracy", "loss") if values.get(name) is not None]
    return ", ".join(first) or "measured"


def verdict(metrics: dict[str, Any]) -> str:
    """The test accuracy with its 95 % interval, in one line; empty if there was no test."""
    if metrics.get("test_accuracy") is None:
        return ""
    line = f"test accuracy {metrics['test_accuracy']:.4f}"
    if "test_low" in metrics and "test_high" in metrics:
        line += f" (95 % interval {metrics['test_low']:.4f} to {metrics['test_high']:.4f})"
    return line

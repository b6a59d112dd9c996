"""What the beginning of a run asks of whatever carries it out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from transfer.backbones import Backbone
from transfer.engine.events import Emit, Wish
from transfer.engine.loop.checkpoint import Position
from transfer.engine.loop.leg import Leg
from transfer.engine.network.network import Weights
from transfer.engine.samples.splits import Split
from transfer.experiment import Experiment
from transfer.seen.record import Record
from transfer.strategies import Strategy


class Job(Protocol):
    """An experiment that is being carried out: it can train legs."""

    experiment: Experiment
    strategy: Strategy
    backbone: Backbone
    size: int
    emit: Emit
    wish: Callable[[], Wish | None]
    folder: Path | None
    place: Position
    best_weights: Weights
    ahead: tuple[int, int]
    provenance: dict[str, Any]
    source_then: Record | None

    @property
    def source_split(self) -> Split:
        """The source's data."""

    @property
    def was_resumed(self) -> bool:
        """Whether it went on from a checkpoint, its own or its teacher's."""

    def resumes(self, first: int) -> bool:
        """Whether the checkpoint lies in the legs that begin with this index: 0 the source's, 1 the target's."""

    def train(self, legs: list[Leg]) -> Wish | None:
        """Trains the legs one after another; the wish that ended it, if one did."""


class Student(Job, Protocol):
    """A job that can have a teacher: it can set up another job and let that one learn."""

    def like(self, experiment: Experiment, emit: Emit, folder: Path | None) -> Student:
        """A job of another experiment that obeys the same wishes."""

    def learn(self) -> Wish | None:
        """Source, teacher and target, without the test; the wish that ended it, if one did."""

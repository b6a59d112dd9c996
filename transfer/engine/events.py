"""What a run says while it goes on: small frozen records, in order, each JSON-able.

Epochs and steps of the source's and a teacher's phases are negative, so that every run's target begins at 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Domain = Literal["source", "teacher", "target"]


@dataclass(frozen=True)
class Stage:
    """What is being done now, in words; ``done`` of ``total`` when it can be counted."""

    text: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class PhaseBegan:
    """A phase begins at ``epoch``; ``moves`` maps each stage to its rate, 0 when frozen."""

    index: int
    name: str
    domain: Domain
    epoch: int
    epochs: int
    trainable: int
    weights: int
    moves: dict[str, float]


@dataclass(frozen=True)
class Point:
    """Figures of one batch (``split`` train) or of a whole split after an epoch (validation).

    Args:
        epoch: epochs done, a fraction inside one; negative on the source.
        step: batches done; negative on the source.
        seconds: since the run began, time lost to a pause not counted.
        values: loss, accuracy and the like, by name.
    """

    split: Literal["train", "validation"]
    domain: Domain
    phase: int
    epoch: float
    step: int
    seconds: float
    values: dict[str, float]


@dataclass(frozen=True)
class Note:
    """A plain sentence for the person who watches."""

    text: str


@dataclass(frozen=True)
class Resumed:
    """The run goes on from a checkpoint; points of this domain after ``step`` come anew."""

    domain: Domain
    step: int


@dataclass(frozen=True)
class Embedded:
    """Source and target in one plane that stays the same for the whole run.

    Args:
        epoch: on the run's axis.
        source: places of source pictures, (x, y) each; empty when there is no source.
        source_labels: their classes.
        target: places of target pictures.
        target_labels: their classes, for the picture alone; the run may not know them.
    """

    epoch: float
    source: list[list[float]]
    source_labels: list[int]
    target: list[list[float]]
    target_labels: list[int]


@dataclass(frozen=True)
class Baseline:
    """What can be had without training: ``name`` reaches this ``accuracy`` on the target's validation split, 0 to 1."""

    name: str
    accuracy: float


Event = Stage | PhaseBegan | Point | Note | Resumed | Embedded | Baseline
Emit = Callable[[Event], None]
Wish = Literal["pause", "stop", "discard"]
KINDS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (Stage, PhaseBegan, Point, Note, Resumed, Embedded, Baseline)
}


def to_record(event: Event) -> tuple[str, dict[str, Any]]:
    """The event's kind and its fields, as the store keeps them."""
    return type(event).__name__, asdict(event)


def from_record(kind: str, fields: dict[str, Any]) -> Event:
    """The event that `to_record` took apart."""
    return KINDS[kind](**fields)

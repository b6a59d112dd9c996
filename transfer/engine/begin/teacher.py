"""Where a strategy's teacher comes from: fine-tuned on the target first and kept, or a finished run."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from transfer import catalog, settings
from transfer.backbones.as_read import noted
from transfer.engine.begin.job import Student
from transfer.engine.events import Baseline, Embedded, Emit, Event, Note, PhaseBegan, Point, Resumed, Stage
from transfer.engine.inspect import rebuilt
from transfer.engine.loop import checkpoint
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import Weights
from transfer.engine.samples import arrays
from transfer.experiment import Experiment

LAYOUT = 1


def training(experiment: Experiment, teacher: str) -> Experiment:
    """By what the teacher is trained: fine-tuned on the same labels for as many epochs.

    A budget in images or seconds is the student's alone: its teacher learns for the usual epochs.
    """
    changes: dict[str, object] = {"strategy": "fine_tuning", "options": {}, "images": None, "seconds": None}
    if teacher not in ("same", experiment.backbone):
        changes |= {"backbone": teacher, "image_size": None}
        if catalog.backbone(teacher).pretrained is not None:
            changes["source"] = None
    return experiment.but(**changes)


def teach(student: Student, teacher: str, data: str, ahead: tuple[int, int]) -> Frozen | None:
    """The teacher, trained now if need be; None when a wish ended that.

    Args:
        student: whose teacher it is.
        teacher: as `Strategy.teacher` has it.
        data: fingerprint of the target's split.
        ahead: epochs and steps that its curve lies before the target's.
    """
    if teacher.startswith("run:"):
        return rebuilt.trained(teacher.removeprefix("run:"), wish=student.wish).frozen
    asked = training(student.experiment, teacher)
    own = catalog.backbone(asked.backbone).pretrained
    held = f" {own.content}" if own and own.content else ""
    words = f"{LAYOUT} {asked.canonical_json()} {data}{noted(asked.backbone)}{held}"
    file = settings.cache("teachers") / f"{hashlib.sha256(words.encode()).hexdigest()[:40]}.npz"
    title = catalog.backbone(asked.backbone).title
    kept = _read(file)
    if kept is not None:
        weights, points, accuracy = kept
        # A run that goes on in the target has told of its teacher already.
        if not student.resumes(1):
            student.emit(Note(f"The teacher, {title}, is already trained (validation accuracy {accuracy:.1%})."))
            for point in points:
                student.emit(point)
        return _rebuilt(student, asked, weights)
    points = []
    folder = student.folder / "teacher" if student.folder else None
    nested = student.like(asked, _relabelled(student.emit, points, title, ahead), folder)
    if nested.learn() is not None:
        return None
    best = nested.place.best
    assert best is not None
    # As with a source: a resumed lesson lacks the points before its checkpoint.
    whole = [] if nested.was_resumed else points
    about = {"accuracy": best.accuracy, "points": [dataclasses.asdict(point) for point in whole]}
    packed = np.frombuffer(json.dumps(about).encode(), "uint8")
    arrays.write(file, {**nested.best_weights, "about": packed})
    if folder:
        checkpoint.remove(folder)
    return _rebuilt(student, asked, nested.best_weights)


def _rebuilt(student: Student, asked: Experiment, weights: Weights) -> Frozen | None:
    found = rebuilt.of(student.like(asked, _silent, None), weights)
    return found.frozen if found else None


def _read(file: Path) -> tuple[Weights, list[Point], float] | None:
    try:
        weights = arrays.read(file)
    except FileNotFoundError:
        return None
    except arrays.Damaged:
        file.unlink(missing_ok=True)
        return None
    about = json.loads(bytes(weights.pop("about")))
    return weights, [Point(**point) for point in about["points"]], about["accuracy"]


def _silent(event: Event) -> None:
    """Takes an event and says nothing."""


def _relabelled(emit: Emit, points: list[Point], title: str, ahead: tuple[int, int]) -> Callable[[Event], None]:
    """What the teacher's run says, as a part of the student's: left of its curve, under its own name."""
    begun: list[str] = []

    def told(event: Event) -> None:
        if isinstance(event, Stage):
            emit(event)
        elif isinstance(event, Note | Embedded | Baseline) or event.domain != "target":
            return
        elif isinstance(event, Point):
            epoch, step = event.epoch - ahead[0], event.step - ahead[1]
            points.append(dataclasses.replace(event, domain="teacher", epoch=epoch, step=step))
            emit(points[-1])
        elif isinstance(event, PhaseBegan) and not begun:
            begun.append(event.name)
            name = f"fine-tune the teacher: {title}"
            emit(dataclasses.replace(event, name=name, domain="teacher", epoch=event.epoch - ahead[0], epochs=ahead[0]))
        elif isinstance(event, Resumed):
            emit(Resumed("teacher", event.step - ahead[1]))

    return told

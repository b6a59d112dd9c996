"""Looks on while a phase is trained: points, validation, the best epoch, checkpoints, wishes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from transfer.engine.events import Emit, Point, Stage, Wish
from transfer.engine.judge import metrics
from transfer.engine.judge.choosing import update
from transfer.engine.judge.domains import Domains
from transfer.engine.loop.checkpoint import Best, Position
from transfer.engine.loop.diverged import diverged
from transfer.engine.loop.leg import Leg
from transfer.engine.network.network import Weights

TOLD_EVERY = 0.2
SAVED_EVERY = 2.0
SAVED_INSIDE_EPOCH = 30.0
PER_MILLE = 1_000


class Watch:
    """The onlooker of one leg; `over` says when to end it.

    Args:
        leg: what is trained.
        place: how far the run has come; kept up to date.
        emit: takes the events.
        wish: asked after every batch.
        keep: called when an epoch was the best so far.
        pick: called when an epoch was picked by what judges without labels.
        save: called when it is time for a checkpoint.
        clock: seconds since the run began.
        total: batches of the whole run, for the progress bar.
        plane: in which source and target are drawn.
    """

    def __init__(
        self,
        leg: Leg,
        place: Position,
        emit: Emit,
        wish: Callable[[], Wish | None],
        keep: Callable[[], None],
        pick: Callable[[], None],
        save: Callable[[], None],
        clock: Callable[[], float],
        total: tuple[int, int],
        plane: Weights,
    ) -> None:
        self.leg, self.place, self.emit, self.wish = leg, place, emit, wish
        self.keep, self.pick, self.save, self.clock, self.total = keep, pick, save, clock, total
        self.domains = Domains(leg, plane) if leg.adapts else None
        self.granted: Wish | None = None
        self.ended_early = False
        self._pending: list[tuple[int, dict[str, float], float]] = []
        self._told = self._saved = time.perf_counter()
        self._seen, self._busy_since = 0, 0.0
        # Whether the leg has had its part of the budget.
        self.spent = leg.budget is not None and leg.budget.over(place)
        self._sizes: set[int] = set()
        self._step_since = time.perf_counter()

    @property
    def over(self) -> bool:
        """Whether a wish, early stopping or an exhausted budget ends the leg before its last epoch."""
        return bool(self.granted) or self.ended_early or self.spent

    def epoch_begins(self) -> None:
        """Starts the epoch's clock."""
        self._seen, self._busy_since = 0, time.perf_counter()
        self._step_since = self._busy_since

    def batch_ended(self, figures: dict[str, float], rate: float) -> None:
        """Takes the batch's own figures, and the learning rate of its step; they are told a few times a second."""
        samples = sum(self.leg.portions.of(self.place.epoch * self.leg.steps + self.place.batch).values())
        self.place.batch += 1
        self._seen += samples
        self._spend(samples)
        self._pending.append((self.place.batch, figures | {"learning_rate": rate}, self.clock()))
        self.granted = self.wish()
        now = time.perf_counter()
        if now - self._told > TOLD_EVERY:
            self.tell()
        if now - self._saved > SAVED_INSIDE_EPOCH:
            self._checkpoint()
        self._step_since = time.perf_counter()

    def _spend(self, samples: int) -> None:
        """Counts a step against the budget, but not the time of one that TensorFlow has just traced."""
        self.place.images += samples
        if samples in self._sizes:
            self.place.busy += time.perf_counter() - self._step_since
        self._sizes.add(samples)
        self.spent = self.leg.budget is not None and self.leg.budget.over(self.place)

    def epoch_ended(self) -> None:
        """Validates, unless the epoch was cut short by a wish."""
        self.tell()
        if self.place.batch < self.leg.steps and not self.leg.idle:
            if self.spent and not self.granted:
                self.validate()
            return
        busy = time.perf_counter() - self._busy_since
        self.place.epoch, self.place.batch = self.place.epoch + 1, 0
        self.validate({"images_per_second": self._seen / max(busy, 1e-9)})
        patience = self.leg.experiment.early_stopping
        if patience and self.leg.domain == "target" and self.place.waited >= patience:
            self.ended_early = True
        if time.perf_counter() - self._saved > SAVED_EVERY:
            self._checkpoint()

    def validate(self, more: dict[str, float] | None = None) -> None:
        """Loss and accuracy on the validation split, and whether they are the best so far."""
        truth = self.leg.data.validation.labels
        said = self.leg.learner.outputs(self.leg.inputs("validation"))
        logits = said["logits"]
        # Taken for answers, they would all name the first class.
        if not (np.isfinite(logits).all() and np.isfinite(said["features"]).all()):
            raise diverged(self.leg, self.place, "the network's answers are no longer numbers")
        epoch: float = self.leg.first_epoch + self.place.epoch
        if self.place.batch:  # a budget ended inside an epoch
            epoch += self.place.batch / self.leg.steps
        values = {"loss": metrics.cross_entropy(logits, truth), "accuracy": metrics.accuracy(logits, truth)}
        if self.leg.domain == "target":
            values |= {f"moved:{name}": far for name, far in self.leg.network.moved().items()}
            if self.leg.budget is not None:
                values |= {"images_seen": float(self.place.images), "training_seconds": self.place.busy}
        if self.domains is not None:
            figures, drawn = self.domains.look(logits, said["features"], epoch)
            values |= figures
            self.emit(drawn)
            if update(self.place.picks, self.leg.index, epoch, values):
                self.pick()
        self.emit(self._point("validation", self.place.batch, self.clock(), values | (more or {})))
        self.place.last = values["accuracy"]
        found = Best(self.leg.index, epoch, values["accuracy"], values["loss"])
        # Without target labels the last epoch is taken, for a choice by them would be a cheat.
        blind = self.domains is not None and not len(self.leg.data.train)
        if blind or found.beats(self.place.best):
            self.place.best, self.place.waited = found, 0
            self.keep()
        else:
            self.place.waited += 1

    def tell(self) -> None:
        """Emits the points that have gathered, and how far the run is."""
        pending, self._pending = self._pending, []
        self._told = time.perf_counter()
        for batch, values, seconds in pending:
            self.emit(self._point("train", batch, seconds, values))
            if not math.isfinite(values["loss"]):
                raise diverged(self.leg, self.place, "the loss is no longer a number")
        before, total = self.total
        if self.leg.budget is not None:
            share = min(1.0, self.leg.budget.spent(self.place))
            self.emit(Stage(self.leg.phase.name, round(PER_MILLE * share), PER_MILLE))
            return
        done = before + self.place.epoch * self.leg.steps + self.place.batch
        self.emit(Stage(self.leg.phase.name, min(done, total), total))

    def _checkpoint(self) -> None:
        self.tell()
        self.save()
        self._saved = time.perf_counter()

    def _point(self, split: Any, batch: int, seconds: float, values: dict[str, float]) -> Point:
        steps = self.leg.steps
        epoch = self.leg.first_epoch + self.place.epoch + batch / steps
        step = self.leg.first_step + self.place.epoch * steps + batch
        return Point(split, self.leg.domain, self.leg.index, epoch, step, seconds, values)

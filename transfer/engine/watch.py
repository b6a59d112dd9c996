"""Listens to Keras while it trains: points, validation, the best epoch, checkpoints, wishes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import keras

from transfer.engine import metrics
from transfer.engine.checkpoint import Best, Place
from transfer.engine.events import Emit, Point, Stage, Wish
from transfer.engine.leg import Leg
from transfer.errors import Diverged

TOLD_EVERY = 0.2
SAVED_EVERY = 2.0
SAVED_INSIDE_EPOCH = 30.0


class Watch(keras.callbacks.Callback):
    """The callback of one leg.

    Args:
        leg: what is trained.
        place: how far the run has come; kept up to date.
        emit: takes the events.
        wish: asked after every batch.
        keep: called when an epoch was the best so far.
        save: called when it is time for a checkpoint.
        clock: seconds since the run began.
        total: batches of the whole run, for the progress bar.
    """

    def __init__(
        self,
        leg: Leg,
        place: Place,
        emit: Emit,
        wish: Callable[[], Wish | None],
        keep: Callable[[], None],
        save: Callable[[], None],
        clock: Callable[[], float],
        total: tuple[int, int],
    ) -> None:
        super().__init__()
        self.leg, self.place, self.emit, self.wish = leg, place, emit, wish
        self.keep, self.save, self.clock, self.total = keep, save, clock, total
        self.granted: Wish | None = None
        self.ended_early = False
        self._pending: list[tuple[int, dict[str, Any], float]] = []
        self._told = self._saved = time.perf_counter()
        self._offset = self._busy_since = 0.0

    def begin(self, offset: int) -> None:
        """Says how many batches of the first epoch were done before."""
        self._offset = offset

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the epoch's clock."""
        self._busy_since = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Takes the batch's own figures; they are read out a few times a second."""
        self.place.batch = int(self._offset) + batch + 1
        self._pending.append((self.place.batch, dict(logs or {}), self.clock()))
        self.granted = self.wish()
        if self.granted:
            self.model.stop_training = True
        now = time.perf_counter()
        if now - self._told > TOLD_EVERY:
            self.tell()
        if now - self._saved > SAVED_INSIDE_EPOCH:
            self._checkpoint()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Validates, unless the epoch was cut short."""
        self.tell()
        if self.place.batch < self.leg.steps:
            return
        busy = time.perf_counter() - self._busy_since
        done = (self.place.batch - int(self._offset)) * self.leg.experiment.batch_size
        self._offset = 0
        self.place.epoch, self.place.batch = epoch + 1, 0
        self.validate({"images_per_second": min(done, len(self.leg.data.train)) / max(busy, 1e-9)})
        patience = self.leg.experiment.early_stopping
        if patience and self.leg.domain == "target" and self.place.waited >= patience:
            self.ended_early = self.model.stop_training = True
        if time.perf_counter() - self._saved > SAVED_EVERY:
            self._checkpoint()

    def validate(self, more: dict[str, float] | None = None) -> None:
        """Loss and accuracy on the validation split, and whether they are the best so far."""
        truth = self.leg.data.validation.labels
        logits = self.leg.learner.logits(self.leg.inputs("validation"))
        values = {"loss": metrics.cross_entropy(logits, truth), "accuracy": metrics.accuracy(logits, truth)}
        self.emit(self._point("validation", 0, self.clock(), values | (more or {})))
        found = Best(self.leg.index, self.leg.first_epoch + self.place.epoch, values["accuracy"], values["loss"])
        if found.beats(self.place.best):
            self.place.best, self.place.waited = found, 0
            self.keep()
        else:
            self.place.waited += 1

    def tell(self) -> None:
        """Emits the points that have gathered, and how far the run is."""
        pending, self._pending = self._pending, []
        self._told = time.perf_counter()
        for batch, logs, seconds in pending:
            values = {name: float(value) for name, value in logs.items()}
            values["learning_rate"] = self._rate(batch)
            self.emit(self._point("train", batch, seconds, values))
            if not math.isfinite(values["loss"]):
                raise Diverged(
                    "The loss is no longer a number.",
                    f"learning rate {self.leg.phase.learning_rate:g}, {self.leg.experiment.optimizer}",
                    f"Lower the learning rate (to {self.leg.phase.learning_rate / 10:g}, say) and run it again.",
                )
        before, total = self.total
        done = before + self.place.epoch * self.leg.steps + self.place.batch
        self.emit(Stage(self.leg.phase.name, min(done, total), total))

    def _rate(self, batch: int) -> float:
        made = self.model.optimizer._learning_rate
        if callable(made):
            return float(made(self.place.epoch * self.leg.steps + batch - 1))
        return self.leg.phase.learning_rate

    def _checkpoint(self) -> None:
        self.tell()
        self.save()
        self._saved = time.perf_counter()

    def _point(self, split: Any, batch: int, seconds: float, values: dict[str, float]) -> Point:
        steps = self.leg.steps
        epoch = self.leg.first_epoch + self.place.epoch + batch / steps
        step = self.leg.first_step + self.place.epoch * steps + batch
        return Point(split, self.leg.domain, self.leg.index, epoch, step, seconds, values)

"""Trains legs one after another, and keeps what makes a run able to go on: place, best epoch, checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from transfer import catalog, modalities
from transfer.backbones.as_read import as_read
from transfer.engine.begin.before import recorded
from transfer.engine.events import Emit, Note, Resumed, Stage, Wish
from transfer.engine.judge import baseline
from transfer.engine.loop import checkpoint
from transfer.engine.loop.checkpoint import Checkpoint, Position
from transfer.engine.loop.leg import Leg
from transfer.engine.loop.term_context import TermContext
from transfer.engine.loop.watch import Watch
from transfer.engine.network.network import Weights, put, take
from transfer.engine.samples import splits
from transfer.experiment import Experiment
from transfer.received import telling
from transfer.seen.record import Record
from transfer.strategies import Strategy


class Granted(Exception):
    """A wish that was granted in the middle of a download."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish


class Trainer:
    """Carries out the legs of one experiment in this process; it knows of no teacher, no target and no test.

    Args:
        experiment: checked already.
        strategy: with its options.
        emit: takes the events.
        wish: what the person wants, asked after every batch.
        folder: for what is to outlive the process, or None.
    """

    def __init__(
        self,
        experiment: Experiment,
        strategy: Strategy,
        emit: Emit,
        wish: Callable[[], Wish | None],
        folder: Path | None,
    ) -> None:
        self.emit, self.folder = emit, folder
        self._resumed = self._readable_checkpoint()
        if self._resumed:
            experiment = experiment.but(backbone=as_read(experiment.backbone, self._resumed.reading))
        self.experiment, self.strategy, self.wish = experiment, strategy, wish
        self.backbone = catalog.backbone(experiment.backbone)
        self.size = modalities.size(experiment, self.backbone)
        self.best_weights: Weights = {}
        self._picked: dict[str, Weights] = {}
        self._plane: Weights = {}
        self._raw: splits.Split | None = None
        self.source_then: Record | None = None
        self.provenance: dict[str, Any] = {"data": {}}
        self._start = time.perf_counter()
        self.place = Position()
        self.ahead = (0, 0)
        self._around: TermContext | None = None
        self._before = self._resumed.place.seconds if self._resumed else 0.0

    @cached_property
    def source_split(self) -> splits.Split:
        """The source's data."""
        assert self.experiment.source is not None, "only a run with a source asks"
        with self.hearing():
            found = splits.split(catalog.dataset(self.experiment.source), self.experiment.seed)
        self._record("source", self.experiment.source, found)
        return found

    def _record(self, role: str, key: str, split: splits.Split) -> None:
        if self.folder is not None:
            recorded(self.folder, role, key, self.experiment.seed, split, self.was_resumed)

    def _downloaded(self, title: str, done: int, total: int) -> None:
        """Progress of a download, which goes on from there the next time, or of decoding; a wish breaks it off."""
        self.emit(Stage(title, done, total))
        wish = self.wish()
        if wish:
            raise Granted(wish)

    def _readable_checkpoint(self) -> Checkpoint | None:
        try:
            return Checkpoint.load(self.folder) if self.folder else None
        except checkpoint.Unreadable as problem:
            self._begin_anew(str(problem))
            return None

    def _begin_anew(self, why: str) -> None:
        self.emit(Note(f"{why} The run starts over."))
        self._resumed, self._before = None, 0.0
        if self.folder is not None:
            checkpoint.remove(self.folder)

    def resumes(self, first: int) -> bool:
        """Whether the checkpoint lies in the legs that begin with this index: 0 the source's, 1 the target's."""
        return self._resumed is not None and min(1, self._resumed.place.leg) == first

    def train(self, legs: list[Leg]) -> Wish | None:
        """Trains the legs one after another, from the checkpoint if it lies in them."""
        resumed = self._resumed if self.resumes(legs[0].index) else None
        if resumed and (why := self._misfit(legs, resumed)):
            self._begin_anew(why)
            resumed = None
        self.place = resumed.place if resumed else Position(leg=legs[0].index)
        for leg in legs:
            if leg.index < self.place.leg:
                continue
            granted = self._train(leg, legs, resumed)
            resumed = None
            if granted:
                return granted
        return None

    def _misfit(self, legs: list[Leg], resumed: Checkpoint) -> str:
        """Why the checkpoint's weights are not this network's; empty when they are."""
        last = max(leg.index for leg in legs)
        if resumed.place.leg > last or not set(resumed.touched) <= set(legs[0].network.names):
            return f"The checkpoint belongs to another network, or to other phases ({last} in this version)."
        leg = next(one for one in legs if one.index == resumed.place.leg)
        leg.network.touched[:] = resumed.touched
        if not leg.head.built and "head/0" in resumed.now:
            leg.head.build((None, resumed.now["head/0"].shape[0]))
        wanted = {name: value.shape for name, value in take(self._moved(leg)).items()}
        for weights in (resumed.now, resumed.best, *resumed.picked.values()):
            found = {name: value.shape for name, value in weights.items() if not name.startswith("average:")}
            if found != {name: wanted.get(name) for name in found} or not wanted.keys() <= found.keys():
                leg.network.touched.clear()
                return "The checkpoint's weights do not fit this network: another version of the lab saved them."
        return ""

    @property
    def was_resumed(self) -> bool:
        """Whether it went on from a checkpoint, its own or its teacher's."""
        taught = self.folder is not None and (self.folder / "teacher" / checkpoint.NAME).exists()
        return self._resumed is not None or taught

    def hearing(self) -> AbstractContextManager[None]:
        """Within, it is said how far decoding own files is, and which were left out."""
        return telling.listening(self._downloaded, lambda words: self.emit(Note(words)))

    def _clock(self) -> float:
        return self._before + time.perf_counter() - self._start

    # ------------------------------------------------------------------ phases

    def _train(self, leg: Leg, legs: list[Leg], resumed: Checkpoint | None) -> Wish | None:
        """Trains one leg from where the place says; the wish that ended it, if one did."""
        leg.emit(Stage("loading the weights"))
        if leg.budget is not None:
            leg.first_epoch, leg.first_step = self.place.first_epoch, self.place.first_step
            if self.place.begun is None:
                self.place.begun = leg.budget.begins if resumed else leg.budget.spent(self.place)
            leg.begun = self.place.begun
        if resumed:
            self._restore(leg, resumed)
        elif leg.index == 1 and self._around and leg.domain == "target":
            self._around.fit_head(leg)
        self._touch(leg)
        learner = leg.learner
        if resumed:
            put(self._averaged, resumed.now)
        if resumed:
            variables = learner.optimizer.variables
            if [value.shape for value in resumed.optimizer] == [tuple(one.shape) for one in variables]:
                for variable, value in zip(variables, resumed.optimizer, strict=True):
                    variable.assign(value)
            else:
                leg.emit(Note("The optimiser starts over: another version of the lab saved its state."))
        began = leg.began()
        self.place.trainable = max(self.place.trainable, began.trainable)
        leg.emit(began)
        before = sum(other.steps * other.phase.epochs for other in legs if other.index < leg.index)
        total = sum(other.steps * other.phase.epochs for other in legs)
        watch = Watch(
            leg,
            self.place,
            leg.emit,
            self.wish,
            lambda: self._keep(leg),
            lambda: self._pick(leg),
            lambda: self._save(leg),
            self._clock,
            (before, total),
            self._plane,
        )
        if self.place.best is None:
            leg.emit(Stage("validating the untrained network"))
            watch.validate()
        if leg.index == 1 and not resumed:
            simple = baseline.without_network(leg, self._raw) if self._raw else None
            for found in (baseline.looked_up(leg), simple):
                if found is not None:
                    leg.emit(found)
        self._fit(leg, watch)
        if watch.granted:
            self._save(leg)
            return watch.granted
        if leg.domain == "target":
            if leg.budget is not None:
                steps = self.place.epoch * leg.steps + self.place.batch
                self.place.first_epoch = leg.first_epoch + -(-steps // leg.steps)
                self.place.first_step = leg.first_step + steps
            self.place.leg, self.place.epoch, self.place.batch, self.place.waited = leg.index + 1, 0, 0, 0
            self.place.begun = None
        return None

    def _fit(self, leg: Leg, watch: Watch) -> None:
        # A budget ends by what it counts, not by epochs; but what learns nothing would only pass the time.
        open_ended = leg.budget is not None and leg.learns
        while (open_ended or self.place.epoch < leg.phase.epochs) and not watch.over:
            watch.epoch_begins()
            if self.place.epoch and not self.place.batch:
                leg.refresh(leg)
            for inputs, labels in leg.batches(self.place.epoch, self.place.batch):
                done = (self.place.epoch * leg.steps + self.place.batch) / (leg.phase.epochs * leg.steps)
                done = done if leg.budget is None else leg.budget.done(self.place)
                rate = leg.rate(done)
                watch.batch_ended(leg.learner.learn(inputs, labels, done, rate), rate)
                if watch.granted or watch.spent:
                    break
            watch.epoch_ended()

    def _touch(self, leg: Leg) -> None:
        """Notes which stages will move; the best epoch so far keeps them as they are now."""
        moving = [name for name in leg.network.names if leg.phase.rates.get(name, 0.0) > 0]
        fresh = [name for name in moving if name not in leg.network.touched]
        if self.best_weights:
            self.best_weights.update(take(leg.network.named(fresh)))
        for weights in self._picked.values():
            weights.update(take(leg.network.named(fresh)))
        leg.network.touched.extend(fresh)

    # ------------------------------------------------------------------ best, checkpoint

    def _moved(self, leg: Leg) -> list[tuple[str, Any]]:
        parts = self._around.named_parts if self._around else []
        return [*leg.network.named(leg.network.touched), ("head", leg.head), *parts]

    def _keep(self, leg: Leg) -> None:
        self.best_weights = take(self._moved(leg))

    def _pick(self, leg: Leg) -> None:
        """Keeps the weights of the epochs that are picked now, and of no others."""
        wanted = {pick.key for pick in self.place.picks.values()}
        new = wanted - set(self._picked)
        self._picked = {key: self._picked[key] for key in wanted - new} | {key: take(self._moved(leg)) for key in new}

    def _save(self, leg: Leg) -> None:
        if self.folder is None:
            return
        self.place.leg, self.place.seconds = leg.index, self._clock()
        optimizer = [np.asarray(keras.ops.convert_to_numpy(one.value)) for one in leg.learner.optimizer.variables]
        known = self._around.known if self._around else {}
        touched, now = list(leg.network.touched), take([*self._moved(leg), *self._averaged])
        best, picked, plane = self.best_weights, self._picked, self._plane
        Checkpoint(self.place, touched, now, best, optimizer, known, picked, plane).save(self.folder)

    def _restore(self, leg: Leg, resumed: Checkpoint) -> None:
        leg.network.touched[:] = resumed.touched
        if not leg.head.built:
            leg.head.build((None, resumed.now["head/0"].shape[0]))
        put(self._moved(leg), resumed.now)
        self.best_weights, self._picked = resumed.best, resumed.picked
        self._plane.update(resumed.plane)
        step = leg.first_step + self.place.epoch * leg.steps + self.place.batch
        leg.emit(Resumed(leg.domain, step))

    @property
    def _averaged(self) -> list[tuple[str, Any]]:
        return self._around.averaged if self._around else []

"""One run from its data to its test score: source, phases, best epoch, checkpoint, test."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from transfer import catalog, fetching, given, modalities, spending
from transfer.backbones.as_read import as_read
from transfer.datasets import Dataset
from transfer.engine.begin import handed_on as inherited
from transfer.engine.begin.before import Before, judged, recorded
from transfer.engine.begin.origin import Origin, origin
from transfer.engine.begin.teacher import teach
from transfer.engine.events import Emit, Note, Resumed, Stage, Wish
from transfer.engine.judge import baseline
from transfer.engine.judge.copies import copies
from transfer.engine.judge.exam import examined
from transfer.engine.loop import checkpoint, device
from transfer.engine.loop.budget import budgets
from transfer.engine.loop.checkpoint import Checkpoint, Place
from transfer.engine.loop.company import Surroundings
from transfer.engine.loop.leg import Leg
from transfer.engine.loop.watch import Watch
from transfer.engine.network import void
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.head import head as new_head
from transfer.engine.network.network import BLANK, Network, Plan, Weights, put, take
from transfer.engine.samples import arrays, data
from transfer.engine.samples.intake import taken_in
from transfer.errors import Diverged
from transfer.experiment import Experiment
from transfer.pictures import scales, telling
from transfer.seen.record import Record
from transfer.strategies import Setting, Strategy

State = Literal["finished", "stopped", "paused", "discarded"]


class _Granted(Exception):
    """A wish that was granted in the middle of a download."""

    def __init__(self, wish: Wish) -> None:
        self.wish = wish


class Runner:
    """Carries out one experiment in this process.

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
        self._raw: data.Split | None = None
        self.before = Before()
        self.source_then: Record | None = None
        self.provenance: dict[str, Any] = {"data": {}}
        self._start = time.perf_counter()
        self.place = Place()
        self._legs: list[Leg] = []
        self.ahead = (0, 0)
        self._around: Surroundings | None = None
        self._before = self._resumed.place.seconds if self._resumed else 0.0

    def go(self) -> tuple[State, dict[str, Any]]:
        """Everything, in order; the state it ended in and its metrics."""
        if self.folder is not None:
            given.check(self.folder)
            given.record(self.folder, self.experiment)
        if own := given.contents(self.experiment):
            self.provenance["networks"] = own
        try:
            with fetching.telling(self._downloaded):
                wish = self.learn()
        except _Granted as granted:
            wish = granted.wish
        except Diverged:
            if self._legs and self.place.best and self.place.best.epoch > 0:
                self._keep_files()
            raise
        if wish in ("pause", "discard") or (wish == "stop" and not (self._legs and self.place.best)):
            return self._ended_by_wish()
        return "stopped" if wish == "stop" else "finished", self._test(self._legs)

    def learn(self) -> Wish | None:
        """Source, teacher and target, without the test; the wish that ended it, if one did."""
        device.set_precision(self.experiment.precision)
        if not self.was_resumed:
            for words in self.backbone.notes:
                self.emit(Note(words))
        self.emit(Stage("loading the data"))
        with self.hearing():
            self._scales = catalog.dataset(self.experiment.target).scales
            self._split = data.target_split(self.experiment)
        self.provenance["data"][self.experiment.target] = self._split.fingerprint
        self.provenance["published"] = {self.experiment.target: self._split.published}
        self._record("target", self.experiment.target, self._split)
        self._look_back()
        self._raw, self._split = self._split, taken_in(self._split, self.backbone, self.size)
        epochs = self.experiment.epochs_for(len(self._split.train))
        if self.strategy.teacher and not self.strategy.teacher.startswith("run:"):
            self.ahead = (epochs, epochs * -(-len(self._split.train) // self.experiment.batch_size))
        begun = origin(self)
        if begun is None:
            return self.wish()
        teacher = None
        if self.strategy.teacher:
            teacher = teach(self, self.strategy.teacher, self._split.fingerprint, self.ahead)
            if teacher is None:
                return self.wish()
        device.fix_seeds(self.experiment.seed)
        self._legs = self._target_legs(begun, teacher)
        return self.train(self._legs)

    def _look_back(self) -> None:
        """Says what the network has learned before, and which test pictures are trained on; refuses what leaks."""
        learns = self.experiment.source is not None and (self.strategy.start != "random" or self.strategy.reads_source)
        self.before = judged(self.experiment, self._split, self.source_split if learns else None)
        self._copies = copies(self._split, self.strategy.unlabelled, self.before.lessons)
        if not self.was_resumed:
            kind = modalities.kind(self.backbone.modality)
            for words in (*self.before.verdict.remarks, *self._copies.notes):
                self.emit(Note(kind.words(words)))

    @cached_property
    def source_split(self) -> data.Split:
        """The source's data."""
        assert self.experiment.source is not None, "only a run with a source asks"
        with self.hearing():
            found = data.split(catalog.dataset(self.experiment.source), self.experiment.seed)
        self._record("source", self.experiment.source, found)
        return found

    def _record(self, role: str, key: str, split: data.Split) -> None:
        if self.folder is not None:
            recorded(self.folder, role, key, self.experiment.seed, split, self.was_resumed)

    def _downloaded(self, title: str, done: int, total: int) -> None:
        """Progress of a download, which goes on from there the next time, or of decoding; a wish breaks it off."""
        self.emit(Stage(title, done, total))
        wish = self.wish()
        if wish:
            raise _Granted(wish)

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
        self.place = resumed.place if resumed else Place(leg=legs[0].index)
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

    def like(self, experiment: Experiment, emit: Emit, folder: Path | None) -> Runner:
        """A runner of another experiment that obeys the same wishes."""
        made = Runner(experiment, catalog.strategy(experiment.strategy)(**experiment.options), emit, self.wish, folder)
        # Its seconds are this run's.
        made._before = max(made._before, self._clock())
        return made

    def rehearsed(
        self, split: data.Split, source: tuple[Dataset, data.Split] | None, teacher: Frozen | None
    ) -> list[Leg]:
        """The target's legs on other data and random weights, to see what they take."""
        self._split, head = split, None
        names = source[1].classes if source else self.backbone.classes
        classes = len(source[1].classes) if source else len(split.classes)
        if source or "source head" in self.strategy.needs or names == split.classes:
            plan = Plan.of(self.strategy, self.backbone)
            network = Network(self.backbone, split.train.inputs.shape[1:], self.size, BLANK, plan)
            width = network.named(network.names)[-1][1].output_shape[-1]
            head = np.zeros((width, classes), "float32"), np.zeros(classes, "float32")
            if source is None and self.backbone.source_head is not None:
                head = self.backbone.source_head()
        return self._target_legs(Origin(BLANK, source, head, names), teacher)

    def begun(self, shape: tuple[int, ...], classes: tuple[str, ...]) -> tuple[Network, keras.layers.Layer] | None:
        """Network and head as this experiment's target begins; None when a wish ends the learning of its source.

        A source that is no longer in the cache is learned anew.
        """
        found = origin(self)
        if found is None:
            return None
        shape = modalities.modality(self.backbone.modality).blank(1, shape, self.size).shape[1:]
        # As `device.fix_seeds`, but what else this process has built stays.
        keras.utils.set_random_seed(self.experiment.seed)
        network, head, _ = self._begin(found, shape, classes)
        return network, head

    @property
    def was_resumed(self) -> bool:
        """Whether it went on from a checkpoint, its own or its teacher's."""
        taught = self.folder is not None and (self.folder / "teacher" / checkpoint.NAME).exists()
        return self._resumed is not None or taught

    def hearing(self) -> AbstractContextManager[None]:
        """Within, it is said how far decoding own pictures is, and which were left out."""
        return telling.listening(
            lambda done, total: self._downloaded("decoding the pictures", done, total),
            lambda words: self.emit(Note(words)),
        )

    def _clock(self) -> float:
        return self._before + time.perf_counter() - self._start

    # ------------------------------------------------------------------ phases

    def _target_legs(self, begun: Origin, teacher: Frozen | None) -> list[Leg]:
        shape, classes = self._split.train.inputs.shape[1:], len(self._split.classes)
        network, head, keeps_head = self._begin(begun, shape, self._split.classes)
        if self.strategy.works_on:
            void.check(self.strategy, self.backbone, network.stages)
        if head.built:
            self.emit(Note("The classes are the same, so the source's head is kept."))
        source = begun.source if self.strategy.reads_source else None
        self._around = Surroundings(self.strategy, network, classes, begun.head, keeps_head, self.emit, teacher, source)
        if self._resumed:
            self._around.known = self._resumed.known
        setting = Setting(network.names, 1, self.experiment.learning_rate, keeps_head, source is not None)
        counts = len(self._split.train), len(self._split.unlabelled)
        epochs = spending.epochs(self.experiment, self.strategy, setting, *counts)
        legs: list[Leg] = []
        epoch = step = images = 0
        phases = self.strategy.phases(replace(setting, epochs=epochs))
        parts = budgets(self.experiment, phases)
        for index, (phase, part) in enumerate(zip(phases, parts, strict=True), start=1):
            leg = Leg(index, "target", phase, self._split, network, head, self.experiment, self.emit, epoch, step)
            leg.company, leg.source = self._around.company, source[1] if source else None
            leg.adapts, leg.budget = self.strategy.unlabelled, part
            leg.refresh, leg.watched = self._around.refresh, begun.source[1] if begun.source else None
            leg.begun = images / self.experiment.images if self.experiment.images else 0.0
            legs.append(leg)
            images += leg.portions.images(leg.planned)
            epoch, step = epoch + leg.epochs, step + leg.planned
        return legs

    def _begin(
        self, begun: Origin, shape: tuple[int, ...], classes: tuple[str, ...]
    ) -> tuple[Network, keras.layers.Layer, bool]:
        """The target's network, its head, and whether that one begins as the source's."""
        # The head first: the order in which they are made decides what is drawn for each.
        head = self.new_head(len(classes))
        plan = Plan.of(self.strategy, self.backbone)
        network = Network(self.backbone, shape, self.size, begun.knowledge, plan)
        keeps_head = begun.head is not None and begun.classes == classes and self.strategy.keeps_head
        if keeps_head and begun.head is not None:
            head.build((None, begun.head[0].shape[0]))
            head.set_weights(list(begun.head))
        return network, head, keeps_head

    def new_head(self, classes: int) -> keras.layers.Layer:
        """The head that the strategy's options ask for, not built yet."""
        options = self.strategy.options
        return new_head(classes, options.widths, options.head_dropout, random=self.strategy.random_head)

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

    # ------------------------------------------------------------------ best, checkpoint, end

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

    def _ended_by_wish(self) -> tuple[State, dict[str, Any]]:
        wish = self.wish()
        if wish == "stop":
            return "stopped", {"seconds": self._clock()}
        return ("paused" if wish == "pause" else "discarded"), {}

    def _test(self, legs: list[Leg]) -> dict[str, Any]:
        """Looks at the test set, once, with the weights of the best epoch."""
        self.emit(Stage("testing the best epoch"))
        best = self.place.best
        assert best is not None, "the untrained network has been validated"
        by_index = {leg.index: leg for leg in legs}
        picked = {
            key: self._answers(by_index[int(key.split(".")[0])], weights) for key, weights in self._picked.items()
        }
        leg = by_index[best.leg]
        logits = self._answers(leg, self.best_weights)
        found = examined(leg, logits, self.place, picked) | self.before.metrics
        found |= self._copies.metrics(logits, leg.data.test.labels) | {
            "seconds": self._clock(),
            "peak_memory_mb": device.peak_memory_mb(),
        }
        if self.folder is not None:
            self._keep_files()
            arrays.write(self.folder / "test.npz", {"logits": logits, "labels": leg.data.test.labels})
            inherited.describe(self, leg, self.folder)
            checkpoint.remove(self.folder)
        return found

    def _keep_files(self) -> None:
        """Writes the best epoch's weights, and what they were trained by."""
        if self.folder is not None:
            arrays.write(self.folder / "weights.npz", self.best_weights)
            (self.folder / "experiment.json").write_text(self.experiment.canonical_json())
            scales.keep(self.folder, self._scales)

    def _answers(self, leg: Leg, weights: Weights) -> np.ndarray:
        """Logits of the test set with these weights."""
        put(self._moved(leg), weights)
        return leg.learner.logits(leg.inputs("test"))

    @property
    def _averaged(self) -> list[tuple[str, Any]]:
        return self._around.averaged if self._around else []

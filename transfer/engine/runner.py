"""One run from its data to its test score: source, phases, best epoch, checkpoint, test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from transfer import catalog, fetching, modalities, network_files, spending
from transfer.datasets import Dataset
from transfer.engine.begin.before import Before, judged
from transfer.engine.begin.begin import begin, blank
from transfer.engine.begin.handed_on import describe
from transfer.engine.begin.origin import Origin, origin
from transfer.engine.begin.teacher import teach
from transfer.engine.events import Emit, Note, Stage, Wish
from transfer.engine.inspect import rebuilt
from transfer.engine.judge.copies import copies
from transfer.engine.judge.exam import examined
from transfer.engine.loop import checkpoint, device
from transfer.engine.loop.budget import budgets
from transfer.engine.loop.leg import Leg
from transfer.engine.loop.term_context import TermContext
from transfer.engine.loop.trainer import Granted, Trainer
from transfer.engine.network import void
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import Weights, put
from transfer.engine.samples import arrays, splits
from transfer.engine.samples.intake import taken_in
from transfer.errors import Diverged
from transfer.experiment import Experiment
from transfer.strategies import Setting, Strategy

State = Literal["finished", "stopped", "paused", "discarded"]
# Epochs in which every phase of a strategy has its turn.
ENOUGH = 100


class Runner(Trainer):
    """Carries out one experiment in this process, from its data to its test.

    Args as for `Trainer`.
    """

    def __init__(
        self,
        experiment: Experiment,
        strategy: Strategy,
        emit: Emit,
        wish: Callable[[], Wish | None],
        folder: Path | None,
    ) -> None:
        super().__init__(experiment, strategy, emit, wish, folder)
        self.before = Before()
        self._legs: list[Leg] = []

    def go(self) -> tuple[State, dict[str, Any]]:
        """Everything, in order; the state it ended in and its metrics."""
        if self.folder is not None:
            network_files.check(self.folder)
            network_files.record(self.folder, self.experiment)
        if own := network_files.contents(self.experiment):
            self.provenance["networks"] = own
        try:
            with fetching.telling(self._downloaded):
                wish = self.learn()
        except Granted as granted:
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
            target = catalog.dataset(self.experiment.target)
            self._beside = modalities.identity(target.modality).beside(target)
            self._split = splits.target_split(self.experiment)
        self.provenance["data"][self.experiment.target] = self._split.fingerprint
        self.provenance["published"] = {self.experiment.target: self._split.published}
        self._record("target", self.experiment.target, self._split)
        self._look_back()
        self._raw, self._split = self._split, taken_in(self._split, self.backbone, self.size)
        epochs = self.experiment.epochs_for(len(self._split.train))
        if self.strategy.teacher and not self.strategy.teacher.startswith("run:"):
            self.ahead = (epochs, epochs * -(-len(self._split.train) // self.experiment.batch_size))
        rebuilt.ready(self.backbone.key)
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
        """Says what the network has learned before, and which test samples are trained on; refuses what leaks."""
        learns = self.experiment.source is not None and (self.strategy.start != "random" or self.strategy.reads_source)
        self.before = judged(self.experiment, self._split, self.source_split if learns else None)
        self._copies = copies(self._split, self.backbone.modality, self.reads_unlabelled, self.before.trained_on)
        if not self.was_resumed:
            kind = modalities.kind(self.backbone.modality)
            for words in (*self.before.verdict.remarks, *self._copies.notes):
                self.emit(Note(kind.words(words)))

    def like(self, experiment: Experiment, emit: Emit, folder: Path | None) -> Runner:
        """A runner of another experiment that obeys the same wishes."""
        made = Runner(experiment, catalog.strategy(experiment.strategy)(**experiment.options), emit, self.wish, folder)
        # Its seconds are this run's.
        made._before = max(made._before, self._clock())
        return made

    def rehearsed(
        self, split: splits.Split, source: tuple[Dataset, splits.Split] | None, teacher: Frozen | None
    ) -> list[Leg]:
        """The target's legs on other data and random weights, to see what they take."""
        self._split = split
        return self._target_legs(blank(self, split, source), teacher)

    @property
    def reads_unlabelled(self) -> bool:
        """Whether all of the target's training samples are learned from, also those without labels, in any phase."""
        used = self.strategy.used(self.backbone.stages)
        setting = Setting(
            used, self.experiment.epochs or ENOUGH, self.experiment.learning_rate, self.strategy.keeps_head
        )
        return self.strategy.unlabelled or any(phase.unlabelled for phase in self.strategy.phases(setting))

    def _target_legs(self, begun: Origin, teacher: Frozen | None) -> list[Leg]:
        shape, classes = self._split.train.inputs.shape[1:], len(self._split.classes)
        network, head, keeps_head = begin(self, begun, shape, self._split.classes)
        if self.strategy.works_on:
            void.check(self.strategy, self.backbone, network.stages)
        if head.built:
            self.emit(Note("The classes are the same, so the source's head is kept."))
        source = begun.source if self.strategy.reads_source else None
        self._around = TermContext(self.strategy, network, classes, begun.head, keeps_head, self.emit, teacher, source)
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
            describe(self, self.before, leg, self.reads_unlabelled, self.folder)
            checkpoint.remove(self.folder)
        return found

    def _keep_files(self) -> None:
        """Writes the best epoch's weights, and what they were trained by."""
        if self.folder is not None:
            arrays.write(self.folder / "weights.npz", self.best_weights)
            (self.folder / "experiment.json").write_text(self.experiment.canonical_json())
            for name, text in self._beside.items():
                (self.folder / name).write_text(text)

    def _answers(self, leg: Leg, weights: Weights) -> np.ndarray:
        """Logits of the test set with these weights."""
        put(self._moved(leg), weights)
        return leg.learner.logits(leg.inputs("test"))

"""One phase on one data set, made ready: inputs, the frozen prefix's features, and the learner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import keras
import numpy as np

from transfer.datasets import Samples
from transfer.engine.events import Domain, Emit, PhaseBegan, Stage
from transfer.engine.loop.budget import Budget
from transfer.engine.loop.learner import Learner, TermInputs
from transfer.engine.loop.optimizers import optimizer, share_of_peak
from transfer.engine.network import features
from transfer.engine.network.network import Network
from transfer.engine.samples.batches import batches, draw
from transfer.engine.samples.splits import Split
from transfer.experiment import Experiment
from transfer.modalities import kind, modality
from transfer.spending import Portions
from transfer.strategies import Phase

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass
class Leg:
    """A phase with its data, network and head.

    Args:
        index: position in the run; it also keys the order of the batches.
        domain: whose labels are learned.
        first_epoch: epochs before it on the run's axis; negative on the source.
        first_step: batches before it, likewise.
        company: what the phase's terms look at beside the network, asked for when the phase begins.
        source: the source's data, for a phase that learns both.
        watched: the source's data, to look at beside the target; no strategy sees it.
        budget: what it may spend, when that is not counted in epochs.
        begun: share of the budget that is spent as it begins.
        adapts: whether the strategy needs no target labels.
        refresh: works out anew what the terms are to know in the next epoch.
    """

    index: int
    domain: Domain
    phase: Phase
    data: Split
    network: Network
    head: keras.layers.Layer
    experiment: Experiment
    emit: Emit
    first_epoch: int
    first_step: int
    company: Callable[[Leg], TermInputs] = lambda leg: TermInputs()
    source: Split | None = None
    refresh: Callable[[Leg], None] = lambda leg: None
    watched: Split | None = None
    adapts: bool = False
    budget: Budget | None = None
    begun: float = 0.0
    _inputs: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def portions(self) -> Portions:
        """How many samples of each kind every step takes."""
        train, unlabelled = len(self.data.train), len(self.data.unlabelled)
        return Portions(self.phase, self.experiment.batch_size, train, unlabelled, self.source is not None)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.portions.steps

    @property
    def planned(self) -> int:
        """Steps it will take if nobody ends it early; with a budget in seconds a guess, for nobody knows."""
        by_images = self.budget.steps(self.portions, self.begun) if self.budget else None
        return self.steps * self.phase.epochs if by_images is None else by_images

    @property
    def epochs(self) -> int:
        """Epochs it will begin, as far as that is known."""
        return max(1, -(-self.planned // self.steps))

    @property
    def idle(self) -> bool:
        """Whether its epochs have no batches: without labels, and with a strategy that computes what it needs."""
        return not (len(self.data.train) or self.phase.unlabelled or (self.phase.source_ratio and self.source))

    @property
    def learns(self) -> bool:
        """Whether its steps change anything: a weight, or statistics that follow the batches."""
        return bool(self.learner.trainable_variables) or any(map(self.phase.follows, self.network.names))

    @property
    def labelled(self) -> bool:
        """Whether labels of the domain are learned."""
        return self.portions.learns_labels

    @cached_property
    def prefix(self) -> list[str]:
        """Names of the stages whose output is computed once, from the bottom; may be empty."""
        frozen: list[str] = []
        for name in self.network.names:
            if self.phase.rates.get(name, 0.0) > 0:
                break
            frozen.append(name)
        if self.experiment.augment or not frozen or self.phase.terms:
            return []
        count = sum(len(part) for part in (self.data.train, self.data.validation, self.data.test))
        return frozen if features.fits(self.network, frozen, count) else []

    def inputs(self, part: Part) -> np.ndarray:
        """What the learner reads of that part: raw samples, or the prefix's features of them."""
        if part not in self._inputs:
            several = [getattr(self.data, name).inputs for name in PARTS]
            if self.prefix:
                several = features.cached(self.network, self.prefix, several, self._told)
            self._inputs = dict(zip(PARTS, several, strict=True))
        return self._inputs[part]

    def _told(self, done: int, total: int) -> None:
        self.emit(Stage(f"features of the {kind(self.network.backbone.modality).nouns}", done, total))

    def given(self, part: Part, inputs: np.ndarray) -> None:
        """What is to be read of that part instead."""
        self._inputs[part] = inputs

    @cached_property
    def learner(self) -> Learner:
        """The part of the network above the prefix, compiled anew for this phase."""
        names = [name for name in self.network.names if name not in self.prefix]
        stages = self.network.named(names)
        entrance = [] if self.prefix else [self.network.entrance]
        width = stages[-1][1].output_shape[-1] if stages else self.inputs("train").shape[-1]
        if not self.head.built:
            self.head.build((None, width))
        smoothing = self.experiment.label_smoothing
        company = self.company(self) if self.phase.terms else None
        learner = Learner(
            entrance, stages, self.head, self.phase, smoothing, self._class_weights(), company, self.labelled
        )
        learner.compile(optimizer=optimizer(self.experiment.optimizer, self.phase.learning_rate, learner.rates()))
        # Without it Keras builds the optimiser inside the first step and traces that step twice.
        learner.optimizer.build(learner.trainable_variables)
        return learner

    def rate(self, done: float) -> float:
        """The learning rate of the head, and of a stage at rate 1, when so much of the phase is done, 0 to 1."""
        asked = self.experiment.schedule
        followed = self.phase.schedule or asked if asked == "constant" else asked
        return self.phase.learning_rate * share_of_peak(followed, done)

    def batches(self, epoch: int, offset: int) -> Iterator[tuple[Any, Any]]:
        """Training batches of that epoch of the phase, from ``offset`` on; by name where several are learned from."""
        beside = self.phase.source_ratio > 0 and self.source is not None
        if not beside and not self.phase.unlabelled:
            yield from self._batches(epoch, offset)
            return
        first = epoch * self.steps + offset
        several = self._apart(epoch, offset) if self.phase.unlabelled else self._alone(epoch, offset)
        for place, (inputs, labels) in enumerate(several, start=first):
            if beside:
                self._add("source", self.source, place, inputs, labels)
            if self.phase.unlabelled and self.labelled:
                self._add("target", self.data, place, inputs, labels)
            yield inputs, labels

    def _alone(self, epoch: int, offset: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        for inputs, labels in self._batches(epoch, offset):
            yield {"target": inputs}, {"target": labels}

    def _apart(self, epoch: int, offset: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The target's samples without labels, in the phase's views."""
        working = modality(self.network.backbone.modality)
        everything = Samples(self.data.unlabelled, np.arange(len(self.data.unlabelled)))
        order = batches(everything, self.portions.apart, [self.experiment.seed, self.index], epoch, offset)
        for place, (inputs, places) in enumerate(order, start=epoch * self.steps + offset):
            # A last batch of one sample would have no variance to be normalised by, and nothing to be aligned with.
            if missing := self.portions.of(place)[self.phase.unlabelled[0]] - len(places):
                more = draw(everything, missing, [self.experiment.seed, self.index, place, 4])
                inputs, places = np.concatenate([inputs, more.inputs]), np.concatenate([places, more.labels])
            views: dict[str, Any] = {"places": places.astype("int32")}
            for number, view in enumerate(self.phase.unlabelled):
                random = np.random.default_rng([self.experiment.seed, self.index, place, 3, number])
                if view == "language":
                    views[view], views["asked"] = working.language(inputs, random, self.network.backbone)
                else:
                    views[view] = working.view(view, inputs, random, self.network.backbone)
            yield views, {}

    def _add(self, name: str, split: Split | None, place: int, inputs: dict[str, Any], labels: dict[str, Any]) -> None:
        """Draws labelled samples to stand beside the others in a step."""
        assert split is not None
        keys = [self.experiment.seed, self.index, place] + ([2] if name == "target" else [])
        drawn = draw(split.train, self.portions.of(place)[name], keys)
        inputs[name], labels[name] = drawn.inputs, drawn.labels
        view = self.phase.labelled_view
        if self.experiment.augment and view == "plain":
            view = "weak"
        random = np.random.default_rng([*keys, 1])
        backbone = self.network.backbone
        inputs[name] = modality(backbone.modality).view(view, drawn.inputs, random, backbone)

    def _batches(self, epoch: int, offset: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        vary = modality(self.network.backbone.modality) if self.experiment.augment else None
        samples = Samples(self.inputs("train"), self.data.train.labels)
        return batches(samples, self.experiment.batch_size, [self.experiment.seed, self.index], epoch, offset, vary)

    def began(self) -> PhaseBegan:
        """The event that says what this phase trains."""
        beside = [self.head, *self.learner.extra]
        more = sum(int(np.prod(variable.shape)) for part in beside for variable in part.variables)
        return PhaseBegan(
            self.index,
            self.phase.name,
            self.domain,
            self.first_epoch,
            self.epochs,
            sum(int(np.prod(variable.shape)) for variable in self.learner.trainable_variables),
            self.network.parameters + more,
            {name: self.phase.rates.get(name, 0.0) for name in self.network.names},
        )

    def _class_weights(self) -> np.ndarray | None:
        if not self.experiment.class_weights:
            return None
        counts = np.bincount(self.data.train.labels, minlength=len(self.data.classes))
        # Classes that are left out have no share in what the others' weights average to.
        return (max(1, counts.sum()) / (max(1, np.count_nonzero(counts)) * np.maximum(counts, 1))).astype("float32")

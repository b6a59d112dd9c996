"""Gathers what a strategy's terms look at: its own layers, the start, the origin, what it worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from transfer.datasets import Dataset
from transfer.engine.events import Emit, Stage
from transfer.engine.loop.learner import TermInputs
from transfer.engine.loop.leg import Leg
from transfer.engine.network.features import compute
from transfer.engine.network.forward import forward
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.head import head as new_head
from transfer.engine.network.network import Network, Weights, take
from transfer.engine.samples.splits import Split
from transfer.strategies import Ready, Shapes, Strategy

SourceHead = tuple[np.ndarray, np.ndarray]


@dataclass
class TermContext:
    """What a run's phases have in common beside the network.

    Args:
        strategy: whose terms they are.
        network: as it is trained.
        classes: number of the target's classes.
        source_head: the source's head as (kernel, bias), or None.
        keeps_head: whether the target's head begins as the source's.
        teacher: the teacher, or None.
        source: the source with its data, for strategies that learn both.
        known: what the strategy worked out; filled when the first phase with terms begins.
    """

    strategy: Strategy
    network: Network
    classes: int
    source_head: SourceHead | None
    keeps_head: bool
    emit: Emit
    teacher: Frozen | None = None
    source: tuple[Dataset, Split] | None = None
    known: Weights = field(default_factory=dict)
    parts: Mapping[str, keras.layers.Layer] = field(default_factory=dict)
    _origin: Frozen | None = None
    _average: Frozen | None = None
    _fresh: dict[str, keras.Variable] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if type(self.strategy).parts is Strategy.parts:
            return
        shapes = {name: tuple(model.output_shape[1:]) for name, model in self.network.named(self.network.names)}
        of_teacher = self.teacher.shapes if self.teacher else {}
        self.parts = self.strategy.parts(Shapes(shapes, of_teacher, self.classes, self.source_head, self.keeps_head))

    @property
    def named_parts(self) -> list[tuple[str, keras.layers.Layer]]:
        """The strategy's own layers, by the names under which their weights are kept."""
        return [(f"part:{name}", part) for name, part in self.parts.items()]

    def company(self, leg: Leg) -> TermInputs:
        """For a phase with terms, which begins now."""
        if not self.known and type(self.strategy).prepare is not Strategy.prepare:
            self.emit(Stage("comparing source and target"))
            self.known = self.strategy.prepare(self._ready(leg))
        if self.strategy.watches_origin and self._origin is None:
            self._origin = Frozen.of(self.network.twin(), new_head(self.classes), self._start())
        if leg.phase.average and self._average is None:
            now = take([*self.network.named(self.network.names), ("head", leg.head)])
            self._average = Frozen.of(self.network.twin(), new_head(self.classes), now)
        if type(self.strategy).refresh is not Strategy.refresh and not self._fresh:
            if not self.known:
                self.known = self.strategy.refresh(self._ready(leg))
            self._fresh = {name: keras.Variable(value, trainable=False) for name, value in self.known.items()}
        entrance = None
        if self.source is not None:
            entrance = self.network.entrance_for(self.source[1].train.inputs.shape[1:])
        return TermInputs(
            self.parts,
            self._origin,
            self.teacher,
            self._start(),
            self.known,
            len(self.source[1].classes) if self.source else 0,
            entrance,
            self._average,
            self._fresh,
        )

    def fit_head(self, leg: Leg) -> None:
        """Puts into the head what the strategy computes for it, if it does."""
        if type(self.strategy).fit_head is not Strategy.fit_head:
            found = self.strategy.fit_head(self._ready(leg))
            if found is not None:
                leg.head.set_weights(list(found))

    def refresh(self, leg: Leg) -> None:
        """Works out anew what the strategy has to know of every unlabelled sample; for an epoch that begins."""
        if self._fresh:
            self.known = self.strategy.refresh(self._ready(leg))
            for name, value in self.known.items():
                self._fresh[name].assign(value)

    @property
    def averaged(self) -> list[tuple[str, keras.layers.Layer]]:
        """The running average's parts, by the names under which their weights are kept."""
        if self._average is None:
            return []
        return [(f"average:{name}", part) for name, part in [*self._average.stages, ("head", self._average.head)]]

    def _start(self) -> Weights:
        self.network.named(self.network.names)
        return self.network.start

    def _ready(self, leg: Leg) -> Ready:
        """The network as it is now, for looking at."""
        stages = leg.network.named(leg.network.names)
        if not leg.head.built:
            leg.head.build((None, stages[-1][1].output_shape[-1]))

        def maps(inputs: np.ndarray) -> dict[str, np.ndarray]:
            passed = forward(leg.network.entrance, stages, leg.head, inputs)
            return {name: np.asarray(ops.convert_to_numpy(one)) for name, one in passed.maps.items()}

        def features(inputs: np.ndarray) -> np.ndarray:
            return compute(leg.network, list(leg.network.names), inputs, lambda done, total: None)

        def logits(found: np.ndarray) -> np.ndarray:
            return np.asarray(ops.convert_to_numpy(leg.head(found, training=False)))

        uppers: dict[str, keras.Model] = {}

        def above(name: str, outputs: np.ndarray) -> np.ndarray:
            if name not in uppers:
                place = leg.network.names.index(name)
                above_it = [model for _, model in stages[place + 1 :]]
                uppers[name] = keras.Sequential([keras.Input(outputs.shape[1:]), *above_it, leg.head])
            return np.asarray(uppers[name].predict_on_batch(outputs))

        def read(texts: Sequence[str]) -> np.ndarray:
            return features(leg.network.read(texts))

        labelled, left_out = leg.data.train, leg.experiment.without
        return Ready(
            labelled.inputs,
            labelled.labels,
            self.classes,
            maps,
            features,
            logits,
            above,
            self.source_head,
            leg.data.unlabelled,
            tuple("" if name in left_out else name for name in leg.data.classes),
            read if leg.network.backbone.tokens else None,
        )

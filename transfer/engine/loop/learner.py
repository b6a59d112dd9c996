"""The network of one phase as Keras trains it: which parts move, and what is minimised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops

from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import Weights
from transfer.strategies import Outputs, Phase, Step

PREDICTED = 64


class BatchValue(keras.metrics.Metric):
    """The last batch's own value; Keras' metrics give the mean since the epoch began."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, value: Any) -> None:
        """Replaces the value."""
        self.value.assign(value)

    def result(self) -> Any:
        """The value."""
        return self.value.value


@dataclass(frozen=True)
class TermInputs:
    """What a phase's terms look at beside the network itself.

    Args:
        parts: the strategy's own layers, trained with the head.
        origin: the network as it was transferred.
        teacher: the teacher.
        start: weights of stages and head as the run began, by ``name/position``.
        known: what the strategy worked out beforehand.
        source_classes: number of the source's classes, 0 without source samples.
        source_entrance: brings the source's raw samples into shape, or None when they have the target's.
        average: the running average of the network, which follows every step.
        fresh: what the strategy works out anew for each epoch.
    """

    parts: Mapping[str, keras.layers.Layer] = field(default_factory=dict)
    origin: Frozen | None = None
    teacher: Frozen | None = None
    start: Weights = field(default_factory=dict)
    known: Weights = field(default_factory=dict)
    source_classes: int = 0
    source_entrance: keras.Model | None = None
    average: Frozen | None = None
    fresh: Mapping[str, keras.Variable] = field(default_factory=dict)


class Learner(keras.Model):
    """Stages above the cached prefix and a head, frozen and unfrozen as a phase says.

    Frozen stages, and all stages of a phase whose batch-norm is ``inference``, are called with
    ``training=False``: neither their statistics nor their dropout are at work. Samples of source and
    target pass one after the other, never as one batch.

    Args:
        entrance: stages without weights that bring raw samples into shape, or none.
        stages: (name, model), bottom to top.
        head: from features to logits.
        phase: what moves and what is added to the cross-entropy.
        smoothing: share of each label spread over all classes, in training only.
        class_weights: factor of each class in the training loss, shape (classes,), or None.
        company: what the phase's terms look at beside.
        labelled: whether there are labelled samples of the target.
    """

    def __init__(
        self,
        entrance: Sequence[keras.Model],
        stages: Sequence[tuple[str, keras.Model]],
        head: keras.layers.Layer,
        phase: Phase,
        smoothing: float = 0.0,
        class_weights: np.ndarray | None = None,
        company: TermInputs | None = None,
        labelled: bool = True,
    ) -> None:
        super().__init__(name="learner")
        self.labelled = labelled
        self.entrance, self.named, self.head = list(entrance), [model for _, model in stages], head
        self.names = [name for name, _ in stages]
        self.phase, self.smoothing, self.class_weights = phase, smoothing, class_weights
        # Kept from Keras, which would take the weights in it for this model's own and train a teacher.
        self._company = _Untracked(company or TermInputs())
        self.extra = list(self.company.parts.values())
        for name, model in stages:
            model.trainable = phase.rates.get(name, 0.0) > 0
            if model.trainable and phase.moves is not None:
                _only(model, phase)
        self.part_rate = phase.head_rate if phase.part_rate is None else phase.part_rate
        head.trainable = phase.head_rate > 0
        for part in self.extra:
            part.trainable = self.part_rate > 0
        self.progress = keras.Variable(0.0, trainable=False, name="progress")
        self.values = {name: BatchValue(name) for name in self.curves}
        self._rate: float | None = None

    @property
    def steering(self) -> keras.optimizers.Optimizer:
        """The optimiser that takes the steps; in half precision Keras wraps it into one that scales the loss."""
        found: keras.optimizers.Optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        return found

    @property
    def company(self) -> TermInputs:
        """What the terms look at beside the network."""
        return self._company.content

    @property
    def curves(self) -> list[str]:
        """Names of the figures every batch gives."""
        terms = list(self.phase.terms)
        if self.phase.unlabelled and not self.labelled:
            return ["loss", *terms]
        return ["loss", "accuracy", *(["cross_entropy", *terms] if terms else [])]

    def rates(self) -> list[float]:
        """The rate of each trainable variable, in Keras' order."""
        found = {
            id(variable): self.phase.rates[name]
            for name, model in zip(self.names, self.named, strict=True)
            for variable in model.trainable_variables
        }
        found |= {id(variable): self.part_rate for part in self.extra for variable in part.trainable_variables}
        return [found.get(id(variable), self.phase.head_rate) for variable in self.trainable_variables]

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        """Logits, shape (n, classes), and features, shape (n, d); in training all that terms look at."""
        if not training:
            return self._through(inputs, self.entrance, False)
        if not isinstance(inputs, dict):
            inputs = {"target": inputs}
        said: dict[str, Any] = {}
        # One domain after another, so that none is normalised by another's statistics.
        if "source" in inputs:
            other = self.company.source_entrance
            # Times 1, or it would be the variable itself that is kept and not what it holds now.
            before = [(variable, variable.value * 1.0) for variable in self._running()]
            said["source"] = self._through(inputs["source"], self.entrance if other is None else [other], True)
            for variable, value in before:
                variable.assign(value)
        for view in self.phase.unlabelled:
            said[f"unlabelled {view}"] = self._through(inputs[view], self.entrance, True)
            if self.company.average is not None:
                said[f"average {view}"] = self.company.average(inputs[view]).as_dict()
        if self.phase.unlabelled:
            said |= {name: inputs[name] for name in ("places", "asked") if name in inputs}
        target = inputs.get("target")
        if target is None:
            return said
        said |= self._through(target, self.entrance, True)
        for name, frozen in (("origin", self.company.origin), ("teacher", self.company.teacher)):
            if frozen is not None:
                seen = frozen(target)
                said[name] = seen.as_dict()
        return said

    def _running(self) -> list[keras.Variable]:
        """Running statistics that are to be the target's, though the source passes, too."""
        if self.phase.running == "both":
            return []
        named = zip(self.names, self.named, strict=True)
        stages = [model for name, model in named if self.phase.follows(name)]
        return [variable for model in stages for variable in model.variables if "moving_" in variable.name]

    def _through(self, inputs: Any, entrance: Sequence[keras.Model], training: bool) -> dict[str, Any]:
        flowing, maps = inputs, {}
        for model in entrance:
            flowing = model(flowing, training=False)
        for name, model in zip(self.names, self.named, strict=True):
            flowing = model(flowing, training=training and self.phase.follows(name))
            maps[name] = flowing
        said = {"features": flowing, "logits": self.head(ops.cast(flowing, "float32"), training=training)}
        return said | {"maps": maps} if training else said

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Cross-entropy and the phase's terms, each by its own name."""
        given = y if isinstance(y, dict) else {"target": y}
        total: Any = 0.0
        truth = None
        if "target" in given:
            truth = self._truth(given["target"], y_pred["logits"])
            total = self._cross_entropy(truth, given["target"], y_pred["logits"])
        if self.phase.terms:
            step = self._step(truth, given, y_pred)
            for name, term in self.phase.terms.items():
                value = term.value(step)
                self.values[name].update_state(value)
                total = total + term.weight * value if term.weight else total
        self.values["loss"].update_state(total)
        return total

    def _truth(self, labels: Any, logits: Any) -> Any:
        classes = logits.shape[-1]
        return ops.one_hot(labels, classes) * (1 - self.smoothing) + self.smoothing / classes

    def _cross_entropy(self, truth: Any, labels: Any, logits: Any) -> Any:
        """The target's cross-entropy with its weight; it and the accuracy become curves."""
        each = keras.losses.categorical_crossentropy(truth, logits, from_logits=True)
        if self.class_weights is not None:
            each = each * ops.take(ops.convert_to_tensor(self.class_weights), labels)
        found = ops.mean(each)
        if self.phase.terms:
            self.values["cross_entropy"].update_state(found)
        hits = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(labels, "int64")), "float32")
        self.values["accuracy"].update_state(ops.mean(hits))
        return found if self.phase.target_weight == 1.0 else self.phase.target_weight * found

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The batch's own figures, by name."""
        return {name: value.result() for name, value in self.values.items()}

    def reset_metrics(self) -> None:
        """Nothing to reset, each figure is one batch's own; Keras asks before every step."""

    def learn(self, inputs: Any, labels: Any, progress: float = 0.0, rate: float | None = None) -> dict[str, float]:
        """One gradient step; the batch's own figures, by name.

        Keras' fit would feed the same step through a tf.data generator and callbacks, which costs a
        head on cached features more than the step itself.

        Args:
            inputs: samples, or those of each domain and view by name.
            labels: class indices, or those of each domain that has any.
            progress: share of the phase that is done, 0 to 1.
            rate: the learning rate of this step; None: as it was.
        """
        if self.phase.terms:
            self.progress.assign(progress)
        if rate is not None and rate != self._rate:
            self.steering.learning_rate = self._rate = rate
        figures: dict[str, float] = self.train_on_batch(inputs, labels, return_dict=True)
        if self.company.average is not None:
            named = [*zip(self.names, self.named, strict=True), ("head", self.head)]
            self.company.average.follow(named, self.phase.average)
        return figures

    def outputs(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Logits, shape (n, classes), and features, shape (n, d), of many samples in inference mode."""
        # The last batch is filled up, for one of another size would be traced anew.
        places = np.resize(np.arange(len(inputs)), -(-len(inputs) // PREDICTED) * PREDICTED)
        batches = (inputs[places[at : at + PREDICTED]] for at in range(0, len(places), PREDICTED))
        said = [self.predict_on_batch(one) for one in batches]
        return {name: np.concatenate([one[name] for one in said])[: len(inputs)] for name in ("logits", "features")}

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Logits of many samples in inference mode, shape (n, classes)."""
        return self.outputs(inputs)["logits"]

    def _step(self, truth: Any, labels: Any, said: dict[str, Any]) -> Step:
        company = self.company
        source = None
        if "source" in said:
            known = ops.one_hot(labels["source"], company.source_classes)
            source = Outputs(said["source"]["logits"], said["source"]["features"], said["source"]["maps"], known)
        weights, start = self._weights()
        return Step(
            truth,
            said.get("logits"),
            said.get("features"),
            weights,
            start,
            said.get("maps", {}),
            Outputs(**said["origin"]) if "origin" in said else None,
            Outputs(**said["teacher"]) if "teacher" in said else None,
            source,
            company.parts,
            {**company.known, **company.fresh},
            {view: Outputs(**said[f"unlabelled {view}"]) for view in self.phase.unlabelled},
            {view: Outputs(**said[f"average {view}"]) for view in self.phase.unlabelled if f"average {view}" in said},
            said.get("places"),
            self.progress.value,
            said.get("asked"),
        )

    def _weights(self) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Trainable variables by stage, and what they held when the run began."""
        named = {**dict(zip(self.names, self.named, strict=True)), "head": self.head}
        now: dict[str, list[Any]] = {}
        begun: dict[str, list[Any]] = {}
        for name, part in named.items():
            moving = {id(variable) for variable in part.trainable_variables}
            for position, variable in enumerate(part.variables):
                if id(variable) in moving:
                    now.setdefault(name, []).append(variable)
                    at_start = self.company.start.get(f"{name}/{position}")
                    begun.setdefault(name, []).append(variable if at_start is None else at_start)
        return now, begun


class _Untracked:
    """Hides what it holds from Keras' tracking of attributes."""

    def __init__(self, content: TermInputs) -> None:
        self.content = content


def _leaves(model: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    inner = getattr(model, "layers", None)
    if inner:
        for layer in inner:
            yield from _leaves(layer)
    else:
        yield model


def _only(model: keras.Model, phase: Phase) -> None:
    """Of the model's trainable variables, leaves only those that the phase moves."""
    assert phase.moves is not None
    for layer in _leaves(model):
        for variable in layer.trainable_variables:
            variable.trainable = phase.moves(type(layer).__name__, variable.path)

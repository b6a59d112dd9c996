"""The network of one phase as Keras trains it: which parts move, and what is minimised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from transfer.strategies import Phase, Step


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


class Learner(keras.Model):
    """Stages above the cached prefix and a head, frozen and unfrozen as a phase says.

    Frozen stages, and all stages of a phase whose batch-norm is ``inference``, are called with
    ``training=False``: neither their statistics nor their dropout are at work.

    Args:
        entrance: stages without weights that bring raw samples into shape, or none.
        stages: (name, model), bottom to top.
        head: from features to logits.
        phase: what moves and what is added to the cross-entropy.
        smoothing: share of each label spread over all classes, in training only.
        class_weights: factor of each class in the training loss, shape (classes,), or None.
    """

    def __init__(
        self,
        entrance: Sequence[keras.Model],
        stages: Sequence[tuple[str, keras.Model]],
        head: keras.layers.Layer,
        phase: Phase,
        smoothing: float = 0.0,
        class_weights: np.ndarray | None = None,
    ) -> None:
        super().__init__(name="learner")
        self.entrance, self.named, self.head = list(entrance), [model for _, model in stages], head
        self.names = [name for name, _ in stages]
        self.phase, self.smoothing = phase, smoothing
        self.class_weights = class_weights
        for name, model in stages:
            model.trainable = phase.rates.get(name, 0.0) > 0
        head.trainable = phase.head_rate > 0
        self.values = {name: BatchValue(name) for name in self.curves}

    @property
    def curves(self) -> list[str]:
        """Names of the figures every batch gives."""
        terms = ["cross_entropy", *self.phase.terms] if self.phase.terms else []
        return ["loss", "accuracy", *terms]

    def rates(self) -> list[float]:
        """The rate of each trainable variable, in Keras' order."""
        found = {
            id(variable): self.phase.rates[name]
            for name, model in zip(self.names, self.named, strict=True)
            for variable in model.trainable_variables
        }
        return [found.get(id(variable), self.phase.head_rate) for variable in self.trainable_variables]

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        """Logits, shape (n, classes), and the features below them, shape (n, d)."""
        flowing = inputs
        for model in self.entrance:
            flowing = model(flowing, training=False)
        for model in self.named:
            follows = model.trainable and self.phase.batch_norm == "batch"
            flowing = model(flowing, training=training and follows)
        return {"features": flowing, "logits": self.head(ops.cast(flowing, "float32"), training=training)}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Cross-entropy and the phase's terms, each by its own name."""
        logits = y_pred["logits"]
        classes = logits.shape[-1]
        truth = ops.one_hot(y, classes) * (1 - self.smoothing) + self.smoothing / classes
        each = keras.losses.categorical_crossentropy(truth, logits, from_logits=True)
        if self.class_weights is not None:
            each = each * ops.take(ops.convert_to_tensor(self.class_weights), y)
        total = ops.mean(each)
        if self.phase.terms:
            self.values["cross_entropy"].update_state(total)
            step = Step(truth, logits, y_pred["features"], self._weights())
            for name, term in self.phase.terms.items():
                value = term.value(step)
                self.values[name].update_state(value)
                total = total + term.weight * value
        hits = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(y, "int64")), "float32")
        self.values["loss"].update_state(total)
        self.values["accuracy"].update_state(ops.mean(hits))
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The batch's own figures, by name."""
        return {name: value.result() for name, value in self.values.items()}

    def learn(self, inputs: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """One gradient step; the batch's own figures, by name.

        Keras' fit would feed the same step through a tf.data generator and callbacks, which costs a
        head on cached features more than the step itself.
        """
        figures: dict[str, float] = self.train_on_batch(inputs, labels, return_dict=True)
        return figures

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Logits of many samples in inference mode, shape (n, classes)."""
        # Small samples go in one batch where they can: a last batch of another size is traced anew.
        size = max(256, 2**20 // max(1, int(np.prod(inputs.shape[1:]))))
        parts = [self.predict_on_batch(inputs[at : at + size])["logits"] for at in range(0, len(inputs), size)]
        return np.concatenate(parts)

    def _weights(self) -> dict[str, list[Any]]:
        named = dict(zip(self.names, self.named, strict=True))
        return {name: part.trainable_variables for name, part in {**named, "head": self.head}.items()}

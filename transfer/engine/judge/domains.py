"""Compares source and target after every epoch: validators, their distance, one plane for both.

The results are only drawn; no strategy gets to see them.
"""

from __future__ import annotations

from functools import cached_property

import keras
import numpy as np

from transfer.datasets import Samples
from transfer.engine.events import Embedded
from transfer.engine.judge import metrics, validators
from transfer.engine.loop.learner import PREDICTED
from transfer.engine.loop.leg import Leg
from transfer.engine.network.forward import forward
from transfer.engine.network.network import Weights

LOOKED_AT = 300


class Domains:
    """Watches source and target during a phase that adapts.

    Args:
        leg: the phase.
        plane: ``mean`` and ``axes`` of the plane that the run's first look fixes; empty until then.
    """

    def __init__(self, leg: Leg, plane: Weights) -> None:
        self.leg, self.plane = leg, plane
        self.target = _few(leg.data.validation)
        self.source = _few(leg.watched.validation) if leg.watched is not None else None

    def look(self, logits: np.ndarray, features: np.ndarray, epoch: float) -> tuple[dict[str, float], Embedded]:
        """Figures by name, and both domains as points in the plane.

        Args:
            logits: for the target's validation samples, shape (n, classes).
            features: of the same samples, shape (n, d).
            epoch: on the x axis of the run's curves.
        """
        values = {
            "entropy": validators.entropy(logits),
            "information": validators.information(logits),
            "density": validators.density(logits[:1000]),
        }
        target, source = _unit(features[: len(self.target)]), None
        if self.source is not None:
            said = self._source_outputs(self.source.inputs)
            source = _unit(said["features"])
            values["source"] = metrics.accuracy(said["logits"], self.source.labels)
            values["a_distance"] = validators.apart(source, target)
        return values, self._drawn(source, target, epoch)

    def _drawn(self, source: np.ndarray | None, target: np.ndarray, epoch: float) -> Embedded:
        both = target if source is None else np.concatenate([source, target])
        if not self.plane:
            mean = both.mean(axis=0)
            axes = np.linalg.svd(both - mean, full_matrices=False)[2][:2]
            self.plane.update(mean=mean, axes=axes)

        def place(features: np.ndarray) -> list[list[float]]:
            found: list[list[float]] = np.round((features - self.plane["mean"]) @ self.plane["axes"].T, 3).tolist()
            return found

        return Embedded(
            epoch,
            [] if source is None else place(source),
            [] if self.source is None else self.source.labels.tolist(),
            place(target),
            self.target.labels.tolist(),
        )

    def _source_outputs(self, inputs: np.ndarray) -> dict[str, np.ndarray]:
        parts = [self._eye.predict_on_batch(inputs[at : at + PREDICTED]) for at in range(0, len(inputs), PREDICTED)]
        return {name: np.concatenate([part[name] for part in parts]) for name in ("features", "logits")}

    @cached_property
    def _eye(self) -> keras.Model:
        """The network with an input for the source's raw samples; it shares every weight."""
        network = self.leg.network
        assert self.source is not None
        entrance = network.entrance_for(self.source.inputs.shape[1:])
        passed = forward(entrance, network.named(network.names), self.leg.head, entrance.input)
        return keras.Model(entrance.input, {"features": passed.features, "logits": passed.logits})


def _few(samples: Samples) -> Samples:
    """The first samples, in whole batches: a smaller last batch would be traced again."""
    count = min(LOOKED_AT, len(samples))
    return samples.take(np.arange(count - count % PREDICTED if count > PREDICTED else count))


def _unit(features: np.ndarray) -> np.ndarray:
    """Features scaled to length one: classes differ by direction, and the plane keeps its scale."""
    flat = features.reshape(len(features), -1).astype("float64")
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)

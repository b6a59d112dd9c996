"""Looks inside a run's network: its features, the outputs of its stages, its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import keras
import numpy as np
from keras import ops

from transfer import catalog
from transfer.engine.inspect import gradcam
from transfer.engine.inspect.gradcam import Look
from transfer.engine.inspect.rebuilt import Rebuilt
from transfer.engine.network.forward import forward
from transfer.engine.network.network import Weights, take
from transfer.experiment import Experiment

BATCH = 64


class Inside:
    """A rebuilt network, open for inspection.

    Args:
        found: the network, trained or as it started.
        head_says: whether its head has learned the target's classes, or source classes with the same names.

    Attributes:
        traced: what inspections have compiled for it, by name.
    """

    def __init__(self, found: Rebuilt, head_says: bool = True) -> None:
        self.found, self.head_says = found, head_says
        self.traced: dict[str, Callable[..., Any]] = {}
        self._lookers: dict[str, Callable[..., Look]] = {}
        self._featurers: dict[tuple[int, ...], keras.Model] = {}

    @cached_property
    def maps(self) -> dict[str, tuple[int, int]]:
        """Stages with a feature map, bottom to top, and the map's height and width."""
        return gradcam.stages(self.found)

    def look(self, sample: np.ndarray, stage: str = "", target: int = gradcam.PREDICTED) -> Look:
        """Logits, features and Grad-CAM of one sample.

        Args:
            sample: of the shape the network was trained on.
            stage: one of `maps`; empty: the highest.
            target: class whose evidence is shown; by default the predicted one.
        """
        stage = stage or list(self.maps)[-1]
        if stage not in self._lookers:
            self._lookers[stage] = gradcam.looker(self.found, stage, features=not self.head_says)
        return self._lookers[stage](sample, target)

    def _featurer(self, shape: tuple[int, ...]) -> keras.Model:
        """A model from raw samples of that shape to features and logits; it shares the network's weights."""
        if shape not in self._featurers:
            network = self.found.network
            entrance = network.entrance_for(shape)
            passed = forward(entrance, network.named(network.names), self.found.head, entrance.input)
            features = ops.cast(passed.features, "float32")
            self._featurers[shape] = keras.Model(entrance.input, [features, passed.logits])
        return self._featurers[shape]

    def features(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Features, shape (n, d), and logits, shape (n, classes), of raw target or source samples."""
        samples = self.found.network.read(samples)
        model = self._featurer(tuple(samples.shape[1:]))
        several = [model.predict_on_batch(part) for part in _batches(samples)]
        features, logits = (np.concatenate([one[place] for one in several])[: len(samples)] for place in (0, 1))
        return features, logits

    def answers(self, samples: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Each stage's outputs for raw samples, bottom to top; only one stage is in memory at a time."""
        samples = self.found.network.read(samples)
        entered = [np.asarray(self.found.network.entrance(part, training=False)) for part in _batches(samples)]
        for name, stage in self.found.network.named(self.found.network.names):
            entered = [np.asarray(stage.predict_on_batch(part)) for part in entered]
            yield name, np.concatenate(entered)[: len(samples)].astype("float32", copy=False)

    def weights(self) -> dict[str, list[np.ndarray]]:
        """The weights of each stage, bottom to top, without moving statistics and seeds."""
        return {name: _learned(stage) for name, stage in self.found.network.named(self.found.network.names)}


def head_was_kept(experiment: Experiment) -> bool:
    """Whether the run started with the source's head, because source and target have the same classes."""
    strategy = catalog.strategy(experiment.strategy)(**experiment.options)
    if experiment.source is None or not strategy.keeps_head:
        return False
    return catalog.dataset(experiment.source).classes == catalog.dataset(experiment.target).classes


def largest(found: Rebuilt) -> int:
    """How many numbers the largest output of a stage holds for one sample."""
    return max(int(np.prod(stage.output_shape[1:])) for stage in found.network.stages)


def _learned(stage: keras.Model) -> list[np.ndarray]:
    kept: Weights = take([("", stage)])
    names = [variable.name for variable in stage.variables]
    return [
        value for name, value in zip(names, kept.values(), strict=True) if "moving_" not in name and "seed" not in name
    ]


def _batches(samples: np.ndarray) -> list[np.ndarray]:
    """Batches of one size, because another size would be traced again; the first samples fill up the last batch."""
    places = np.resize(np.arange(len(samples)), -(-len(samples) // BATCH) * BATCH)
    return [np.asarray(samples[places[at : at + BATCH]]) for at in range(0, len(places), BATCH)]

"""A backbone at work: its stages, the knowledge they begin with, and what of it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from transfer.backbones import Backbone
from transfer.engine.network import prebuilt
from transfer.engine.samples import arrays
from transfer.modalities import modality
from transfer.strategies import Strategy

Weights = dict[str, np.ndarray]


@dataclass(frozen=True)
class Knowledge:
    """What the stages begin with.

    Args:
        origin: in words, for the page ("ImageNet", "MNIST 5k", "random weights").
        identity: changes whenever a weight does; keys the feature cache.
        file: weights a source phase has left, or None.
        own: whether the backbone's own weights are meant.
    """

    origin: str
    identity: str
    file: Path | None = None
    own: bool = False


BLANK = Knowledge("nothing", "nothing")


@dataclass(frozen=True)
class Plan:
    """What a strategy makes of a backbone's stages.

    Args:
        used: names of those that remain, bottom to top.
        copied: those that begin with the knowledge; the others begin with random weights.
        rebuild: puts something into the stages, or None; called with them and ``read=``, from samples to their input.
    """

    used: tuple[str, ...]
    copied: tuple[str, ...]
    rebuild: Callable[..., dict[str, keras.Model]] | None = None

    @classmethod
    def of(cls, strategy: Strategy, backbone: Backbone, classes: tuple[str, ...] = ()) -> Plan:
        """The strategy's plan for this backbone and the target's classes."""
        names = backbone.stages
        rebuild = partial(strategy.rebuild_for, names=classes) if strategy.rebuilds else None
        return cls(strategy.used(names), strategy.copied(names), rebuild)


class Network:
    """The stages of one backbone, built only when a weight is needed.

    A head on cached features never needs them, which makes the second run on the same data quick.

    Args:
        backbone: from the catalog.
        shape: of a sample, as its kind's `read` returns it.
        size: of what the stages are fed: height and width in pixels, or length in tokens.
        knowledge: what they begin with.
        plan: what a strategy makes of them; None: all as they come.
    """

    def __init__(
        self,
        backbone: Backbone,
        shape: tuple[int, ...],
        size: int,
        knowledge: Knowledge,
        plan: Plan | None = None,
    ) -> None:
        self.backbone, self.shape, self.size, self.knowledge = backbone, shape, size, knowledge
        self.plan = plan or Plan(backbone.stages, backbone.stages)
        self.touched: list[str] = []
        self.start: Weights = {}
        self._prefixes: dict[tuple[str, ...], keras.Model] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The stages it has, bottom to top."""
        return self.plan.used

    @property
    def copied(self) -> tuple[str, ...]:
        """The stages that begin with the knowledge: those the plan copies, as far as it reaches."""
        own = self.backbone.pretrained if self.knowledge.own else None
        reach = own.stages if own is not None and own.stages else self.backbone.stages
        return tuple(name for name in self.plan.copied if name in reach)

    @property
    def whole(self) -> bool:
        """Whether its stages are the backbone's, all of them and as they come."""
        return self.names == self.backbone.stages and self.plan.rebuild is None

    def twin(self) -> Network:
        """The same network as it began, to be looked at while this one changes."""
        return Network(self.backbone, self.shape, self.size, self.knowledge, self.plan)

    def read(self, inputs: Any) -> Any:
        """Raw samples as the network reads them."""
        return modality(self.backbone.modality).read(inputs, self.backbone, self.size)

    @cached_property
    def entrance(self) -> keras.Model:
        """From raw samples to the first stage's input."""
        return self.entrance_for(self.shape)

    def entrance_for(self, shape: tuple[int, ...]) -> keras.Model:
        """From raw samples of another shape, a source's, to the first stage's input."""
        return modality(self.backbone.modality).entrance(tuple(shape), self.size, self.backbone.channels)

    @cached_property
    def stages(self) -> list[keras.Model]:
        """The stages with what they begin with, bottom to top; `start` is what that was."""
        built = dict(zip(self.backbone.stages, self._begun(), strict=True))
        built = {name: stage for name, stage in built.items() if name in self.names}
        top = self.names[-1]
        if len(built[top].output_shape) > 2:
            built[top] = modality(self.backbone.modality).pooled(built[top])
        if self.plan.rebuild is not None:
            built = self.plan.rebuild(built, read=self.read)
        self.start = take(built.items())
        return list(built.values())

    def _begun(self) -> list[keras.Model]:
        """All of the backbone's stages: those that are copied with the knowledge, the others new."""
        left = set(self.backbone.stages) - set(self.copied)
        if self.knowledge.own and not left:
            return prebuilt.own(self.backbone, self.size)
        stages = self.backbone.build(self.size)
        named = list(zip(self.backbone.stages, stages, strict=True))
        if self.knowledge.file is not None:
            put([(name, stage) for name, stage in named if name not in left], arrays.read(self.knowledge.file))
        elif self.knowledge.own and self.backbone.pretrained is not None:
            new = take((name, stage) for name, stage in named if name in left)
            self.backbone.pretrained.load(stages)
            put(named, new)
        return stages

    def named(self, names: Iterable[str]) -> list[tuple[str, keras.Model]]:
        """Some stages with their names; nothing is built when none is asked for."""
        wanted = list(names)
        by_name = dict(zip(self.names, self.stages, strict=True)) if wanted else {}
        return [(name, by_name[name]) for name in wanted]

    def prefix(self, names: list[str]) -> Callable[[np.ndarray], np.ndarray]:
        """From a batch of raw samples to the output of these stages, traced once however often it is asked for."""
        if tuple(names) not in self._prefixes:
            self._prefixes[tuple(names)] = prebuilt.joined([stage for _, stage in self.named(names)])
        body = self._prefixes[tuple(names)]

        def through(inputs: np.ndarray) -> np.ndarray:
            entered = keras.ops.convert_to_numpy(self.entrance(inputs, training=False))
            return np.asarray(body.predict_on_batch(entered))

        return through

    def identity(self, names: list[str]) -> str:
        """What these stages hold, in one word: equal words, equal features."""
        as_they_came = set(names) <= set(self.copied) and not set(names) & set(self.touched)
        if as_they_came and self.plan.rebuild is None:
            # A cut network pools its last stage, which the whole one does not.
            return self.knowledge.identity if self.whole else f"{self.knowledge.identity} up to {self.names[-1]}"
        digest = hashlib.sha256()
        for key, value in sorted(take(self.named(names)).items()):
            digest.update(key.encode() + np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()

    def moved(self) -> dict[str, float]:
        """How far each stage is from where it began: the distance of its weights over their size then; 0 or more."""
        still = dict.fromkeys(self.names, 0.0)
        if not self.touched:
            return still
        return still | {name: _moved(stage, self.start, name) for name, stage in self.named(self.touched)}

    @property
    def parameters(self) -> int:
        """The number of its weights."""
        if self.whole:
            return self.backbone.parameters
        variables = [variable for stage in self.stages for variable in stage.variables]
        # A fixed network holds its weights as constants of a graph.
        constants = sum(getattr(layer, "constants", 0) for stage in self.stages for layer in stage.layers)
        return constants + sum(int(np.prod(variable.shape)) for variable in variables if "seed" not in variable.name)


def _moved(stage: keras.Model, start: Weights, name: str) -> float:
    """Relative L2 distance of the stage's weights from the start; statistics are left out, they do not learn."""
    apart = size = 0.0
    for position, variable in enumerate(stage.variables):
        if "moving_" in variable.name or "seed" in variable.name:
            continue
        begun = start[f"{name}/{position}"]
        now = np.asarray(keras.ops.convert_to_numpy(variable.value))
        apart += float(np.sum(np.square(now - begun, dtype="float64")))
        size += float(np.sum(np.square(begun, dtype="float64")))
    return (apart / size) ** 0.5 if size else 0.0


def take(stages: Iterable[tuple[str, Any]]) -> Weights:
    """Copies of all weights, statistics and seeds, by ``name/position``."""
    return {
        f"{name}/{position}": np.asarray(keras.ops.convert_to_numpy(variable.value)).copy()
        for name, model in stages
        for position, variable in enumerate(model.variables)
    }


def put(stages: Iterable[keras.Model] | Iterable[tuple[str, Any]], weights: Weights) -> None:
    """Sets what `take` took; weights of stages that are not given are left out."""
    for entry in stages:
        name, model = entry if isinstance(entry, tuple) else (entry.name, entry)
        for position, variable in enumerate(model.variables):
            key = f"{name}/{position}"
            if key in weights:
                variable.assign(weights[key])

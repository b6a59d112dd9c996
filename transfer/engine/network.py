"""A backbone at work: its stages, the knowledge they begin with, and what of it has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np

from transfer.backbones import Backbone
from transfer.engine import arrays
from transfer.modalities import modality

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


class Network:
    """The stages of one backbone, built only when a weight is needed.

    A head on cached features never needs them, which makes the second run on the same data quick.

    Args:
        backbone: from the catalog.
        shape: of a raw sample.
        image_size: height and width the stages are fed.
        knowledge: what they begin with.
    """

    def __init__(self, backbone: Backbone, shape: tuple[int, ...], image_size: int, knowledge: Knowledge) -> None:
        self.backbone, self.shape, self.image_size, self.knowledge = backbone, shape, image_size, knowledge
        self.touched: list[str] = []
        self._prefixes: dict[tuple[str, ...], keras.Model] = {}

    @cached_property
    def entrance(self) -> keras.Model:
        """From raw samples to the first stage's input."""
        return modality(self.backbone.modality).entrance(self.shape, self.image_size, self.backbone.channels)

    @cached_property
    def stages(self) -> list[keras.Model]:
        """The stages with their knowledge, bottom to top."""
        built = self.backbone.build(self.image_size)
        if self.knowledge.file is not None:
            put(built, arrays.read(self.knowledge.file))
        elif self.knowledge.own and self.backbone.pretrained is not None:
            self.backbone.pretrained.load(built)
        return built

    def named(self, names: Iterable[str]) -> list[tuple[str, keras.Model]]:
        """Some stages with their names; nothing is built when none is asked for."""
        wanted = list(names)
        by_name = dict(zip(self.backbone.stages, self.stages, strict=True)) if wanted else {}
        return [(name, by_name[name]) for name in wanted]

    def prefix(self, names: list[str]) -> keras.Model:
        """Entrance and these stages as one model; the same one each time, so that it is traced once."""
        if tuple(names) not in self._prefixes:
            self._prefixes[tuple(names)] = keras.Sequential([self.entrance, *(one for _, one in self.named(names))])
        return self._prefixes[tuple(names)]

    def identity(self, names: list[str]) -> str:
        """What these stages hold, in one word: equal words, equal features."""
        if not set(names) & set(self.touched):
            return self.knowledge.identity
        digest = hashlib.sha256()
        for _, value in sorted(take(self.named(names)).items()):
            digest.update(np.ascontiguousarray(value).tobytes())
        return digest.hexdigest()


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

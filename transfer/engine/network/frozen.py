"""A network that is looked at and never trained: a teacher, or the network as it was transferred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import keras

from transfer.engine.network.forward import forward
from transfer.engine.network.network import Network, Weights, put
from transfer.strategies import Outputs


class Frozen:
    """A whole network in inference mode, from raw samples up.

    Args:
        entrance: brings raw samples into shape.
        stages: (name, model), bottom to top.
        head: from features to logits.
    """

    def __init__(
        self, entrance: keras.Model, stages: Sequence[tuple[str, keras.Model]], head: keras.layers.Layer
    ) -> None:
        self.entrance, self.stages, self.head = entrance, list(stages), head
        for _, model in self.stages:
            model.trainable = False
        head.trainable = False

    @classmethod
    def of(cls, network: Network, head: keras.layers.Layer, weights: Weights) -> Frozen:
        """That network and head with these weights put into them."""
        stages = network.named(network.names)
        if not head.built:
            head.build((None, stages[-1][1].output_shape[-1]))
        put([*stages, ("head", head)], weights)
        return cls(network.entrance, stages, head)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Output shape of each stage, without the batch."""
        return {name: tuple(model.output_shape[1:]) for name, model in self.stages}

    def follow(self, named: Iterable[tuple[str, keras.layers.Layer]], momentum: float) -> None:
        """Moves every weight towards those of the same name; statistics and seeds are taken as they are."""
        mine = dict([*self.stages, ("head", self.head)])
        for name, part in named:
            for kept, new in zip(mine[name].variables, part.variables, strict=True):
                share = momentum if _learned(new) else 0.0
                kept.assign(new if not share else share * kept.value + (1 - share) * new.value)

    def __call__(self, inputs: Any) -> Outputs:
        """What it says of raw samples."""
        return forward(self.entrance, self.stages, self.head, inputs)


def _learned(variable: keras.Variable) -> bool:
    return "moving_" not in variable.name and "seed" not in variable.name

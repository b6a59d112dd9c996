"""What a network is made of, seen in its layers: whether a strategy would do anything to it."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from transfer import void
from transfer.backbones import Backbone, Part
from transfer.backbones.attention import KEYS
from transfer.strategies import Strategy

KERNELS = ("Dense", "Conv1D", "Conv2D", "Conv3D")


def parts(stages: Sequence[keras.Model]) -> set[Part]:
    """The parts that strategies work on, as far as the stages have them."""
    found: set[Part] = set()
    for stage in stages:
        if len(stage.output_shape) == 4:
            found.add("maps")
        for layer in stage._flatten_layers(include_self=False):
            kinds = {one.__name__ for one in type(layer).__mro__}
            names = {variable.name for variable in layer.variables}
            if "BatchNormalization" in kinds:
                found.add("batch norm")
            if any("Normalization" in kind for kind in kinds) and names & {"gamma", "beta"}:
                found.add("normalisation")
            if names & {"bias", "beta"}:
                found.add("biases")
            if type(layer).__name__ in KERNELS:
                found.add("kernels")
            if layer.name.endswith(KEYS):
                found.add("attention")
    return found


def check(chosen: Strategy, network: Backbone, stages: Sequence[keras.Model]) -> None:
    """Raises `ImpossibleExperiment` when the stages lack what the strategy works on."""
    void.missing(chosen, network, parts(stages))

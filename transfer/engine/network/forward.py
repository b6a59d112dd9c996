"""The forward pass: samples through the entrance, the stages and the head."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from keras import ops

from transfer.strategies import Outputs

Part = Callable[..., Any]


def forward(entrance: Part, stages: Iterable[tuple[str, Part]], head: Part, inputs: Any) -> Outputs:
    """What a network says of samples in inference mode; of symbolic inputs, symbolic outputs.

    Args:
        entrance: from samples to the first stage's input.
        stages: with their names, bottom to top.
        head: from features to logits; it computes in single precision whatever the stages use.
        inputs: samples as the entrance takes them, shape (n, ...).

    Returns:
        The logits, shape (n, classes), the features, shape (n, d), and the output of each stage by name.
    """
    flowing, maps = entrance(inputs, training=False), {}
    for name, stage in stages:
        flowing = maps[name] = stage(flowing, training=False)
    return Outputs(head(ops.cast(flowing, "float32"), training=False), flowing, maps)

"""Where in a picture a network finds what speaks for a class: Grad-CAM at any stage.

Here and in `token_evidence` a gradient is asked of TensorFlow by hand: that of a score by what a stage gives, which
Keras has no call for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from transfer.engine.inspect.rebuilt import Rebuilt
from transfer.errors import RequestError

PREDICTED = -1


@dataclass(frozen=True)
class Look:
    """One picture looked at.

    Args:
        logits: what the network said, shape (classes,).
        features: what the head was given, shape (d,).
        heat: where it looked, shape of the stage's map (height, width), 0 to 1; all 0 when nothing spoke for it.
    """

    logits: np.ndarray
    features: np.ndarray
    heat: np.ndarray


def stages(found: Rebuilt) -> dict[str, tuple[int, int]]:
    """The stages that have a map, bottom to top, with its height and width; a dense stage has none."""
    maps = {name: _map(model) for name, model in found.network.named(found.network.names)}
    return {name: (int(one.shape[1]), int(one.shape[2])) for name, one in maps.items() if one is not None}


def looker(found: Rebuilt, stage: str, features: bool = False) -> Callable[..., Look]:
    """A function from a raw picture to a `Look` at one stage; traced once, then it takes milliseconds.

    Grad-CAM weighs each channel of the stage's map by the mean gradient of the class's logit, adds them up and
    keeps what is positive. It tells where in the picture the evidence lies; it misleads as an explanation: it
    does not say what was seen there, a coarse map smears, and low stages answer to edges everywhere.

    Args:
        found: a network.
        stage: one of `stages`.
        features: whether the size of the features is followed in place of a logit: for a head that has not
            learned yet, it tells what the features were made of.

    Returns:
        ``look(picture, target)``: picture of shape (height, width, channels), uint8; target a class index or
        `PREDICTED` for the class the network says.

    Raises:
        RequestError: the stage has no map.

    Reference:
        Selvaraju et al. 2017, Grad-CAM, eq. 1 and 2; divided by its largest value.
    """
    if stage not in stages(found):
        known = ", ".join(stages(found)) or "none of this network"
        raise RequestError("This stage has no feature map.", repr(stage), f"Stages with a map: {known}.")
    parts = [(name, _opened(model)) for name, model in found.network.named(found.network.names)]

    @tf.function
    def traced(pictures: Any, target: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            flowing = found.network.entrance(pictures, training=False)
            tape.watch(flowing)  # no weight of a frozen network is, so nothing else makes the tape follow
            seen = None
            for name, model in parts:
                inner, flowing = model(flowing, training=False)
                seen = inner if name == stage else seen
            logits = found.head(ops.cast(flowing, "float32"), training=False)
            said = tf.where(target < 0, tf.argmax(logits[0]), target)
            score = 0.5 * tf.reduce_sum(tf.cast(flowing, "float32") ** 2) if features else logits[0, said]
        slope = tf.cast(tape.gradient(score, seen), "float32")
        weight = tf.reduce_mean(slope, axis=(1, 2), keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weight * tf.cast(seen, "float32"), axis=-1))[0]
        return logits[0], tf.cast(flowing, "float32")[0], heat

    def look(picture: np.ndarray, target: int = PREDICTED) -> Look:
        said = traced(tf.constant(picture[None]), tf.constant(target, "int64"))
        logits, flowing, heat = (np.asarray(one) for one in said)
        most = float(heat.max(initial=0.0))
        return Look(logits, flowing, heat / most if most > 0 else heat)

    return look


def _map(stage: keras.Model) -> Any:
    """The stage's last tensor with rows and columns: its output or, of a stage that pools, what it pools."""
    for operation in reversed(stage.operations):
        if isinstance(operation, keras.layers.InputLayer):
            continue
        output = operation.output
        if getattr(output, "shape", None) is not None and len(output.shape) == 4 and output.shape[1] > 1:
            return output
    return None


def _opened(stage: keras.Model) -> keras.Model:
    """The stage giving its map beside its output."""
    inner = _map(stage)
    return keras.Model(stage.input, [stage.output if inner is None else inner, stage.output], name=f"{stage.name}_open")

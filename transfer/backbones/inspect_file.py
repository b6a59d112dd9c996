"""Inspects a user's network; `transfer.backbones.own_file` calls it in a separate process.

Whatever the file contains, it is read with Keras' safe mode on, in a process that has nothing to lose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones import pixels
from transfer.backbones.classifier import classifier
from transfer.backbones.cutting import learns, output_of, passages
from transfer.backbones.open_file import opened
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

PROBED_SIZE = 32
# TensorFlow.js appends the class and a number to a layer's name.
_TEACHABLE_MACHINE = tuple(re.compile(rf"(.*_)?{one}\d+") for one in ("GlobalAveragePooling2D", "dense_Dense"))


def inspect(file: str) -> dict[str, Any]:
    """The description of the network in the file.

    Returns:
        As `describe`, and ``pixels``, the range it expects, None if unknown; ``told``, how that was found;
        ``ends``, the last layer of each network nested in it; ``notes``, sentences on how it was read.

    Raises:
        RequestError: the file is not such a network; says why.
    """
    path = Path(file)
    network, notes, ends = opened(path)
    found = describe(network, path.name)
    below = [layer["name"] for layer in found["layers"] if layer["cut"]]
    if found["classifier"] is not None and below.index(found["classifier"]) == 0:
        raise RequestError(
            "The network is only a classifier, with no features below it.", f"{path.name}, {found['classifier']}",
            "Give one with a trained layer below its classifier.",
        )  # fmt: skip
    fed, told = told_pixels(network)
    return {**found, "pixels": fed, "told": told, "ends": ends, "notes": notes}


def describe(network: keras.Model, named: str) -> dict[str, Any]:
    """The layers and the input of a network.

    Args:
        network: a functional network that reads pictures.
        named: its name in messages.

    Returns:
        ``title``; ``size`` (pixels, the larger of height and width; None for any); ``input``, height and width;
        ``channels``; ``classifier``, the layer that outputs the class scores, or None; ``classes``, how
        many; ``layers``: name, kind, output shape, weights and whether the network can be cut there, bottom to top.

    Raises:
        RequestError: it has no weights.
    """
    operations = list(network.operations)
    places = {*passages(operations), len(operations) - 1}
    weighted = [index for index, operation in enumerate(operations) if learns(operation)]
    if not weighted:
        raise RequestError("The network has no weights.", named, "Give one with trained weights.")
    height, width, channels = network.inputs[0].shape[1:]
    layers = []
    for index, operation in enumerate(operations):
        shape = list(output_of(operation).shape[1:])
        layers.append(
            {
                "name": operation.name,
                "kind": type(operation).__name__,
                "shape": shape,
                "weights": sum(math.prod(weight.shape) for weight in getattr(operation, "weights", [])),
                "cut": index in places
                and index >= weighted[0]
                and len(shape) in (1, 2, 3)
                and type(operation).__name__ != "Cast",
            }
        )
    scores, classes = classifier(operations)
    return {
        "title": network.name,
        "size": max(height, width) if height else None,
        "input": [height, width],
        "channels": channels,
        "classifier": scores,
        "classes": classes,
        "layers": layers,
    }


def reads_pictures(network: keras.Model) -> bool:
    """Whether its only input is a square picture, grey or in colour, and it has one output."""
    shape = tuple(network.inputs[0].shape)
    one = len(network.inputs) == 1 == len(network.outputs) and len(shape) == 4
    return one and shape[-1] in (1, 3) and shape[1] == shape[2]


def told_pixels(network: keras.Model) -> tuple[str | None, str]:
    """The pixel range a flat network expects, and how that was found; None if it cannot be found."""
    import keras

    operations = list(network.operations)
    first = next(at for at, operation in enumerate(operations) if learns(operation))
    height, width, channels = (size or PROBED_SIZE for size in network.inputs[0].shape[1:])
    before = [at for at in passages(operations) if 0 < at < first]
    steps = [_step(keras.Model(network.inputs[0], output_of(operations[at]))) for at in [*before[-1:], *before]]
    told = pixels.told_by(steps, height, width, channels)
    if told is not None:
        return told, "preprocessing"
    estimated = _by_statistics(operations, first, channels)
    if estimated is None and _of_teachable_machine(operations):
        return "-1..1", "maker"
    return estimated, "statistics" if estimated else ""


def _of_teachable_machine(operations: list[Any]) -> bool:
    """Whether its layers are named like those of Teachable Machine's export.

    Its page feeds ``pixels / 127.5 - 1``, which is not recorded in the file.
    """
    names = [operation.name for operation in operations]
    return all(any(one.fullmatch(name) for name in names) for one in _TEACHABLE_MACHINE)


def _step(part: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    return lambda pictures: np.asarray(part(pictures, training=False), "float32")


def _by_statistics(operations: list[Any], first: int, channels: int) -> str | None:
    """The range estimated from batch statistics at the bottom, before or after the first filters."""
    import keras

    lowest = operations[first]
    if isinstance(lowest, keras.layers.BatchNormalization):
        mean, variance = np.asarray(lowest.moving_mean), np.asarray(lowest.moving_variance)
        if np.allclose(mean, 0) and np.allclose(variance, 1):
            return None
        return pixels.of_pixel(float(np.median(mean)), float(np.sqrt(np.median(variance))), channels)
    above = operations[first + 1] if first + 1 < len(operations) else None
    if type(lowest) is not keras.layers.Conv2D or not isinstance(above, keras.layers.BatchNormalization):
        return None
    kernel = np.asarray(lowest.kernel, "float32")
    bias = np.asarray(lowest.bias, "float32") if lowest.use_bias else 0.0
    mean, variance = np.asarray(above.moving_mean), np.asarray(above.moving_variance)
    return pixels.told_by_statistics(kernel, bias, mean, variance) if kernel.shape[2] == channels else None

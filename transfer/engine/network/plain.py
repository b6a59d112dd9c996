"""A stage in Keras' own layers: what it takes for a network to be used outside of the run that made it."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def plain(stage: keras.Model) -> keras.Model:
    """The stage with layers of the lab's own replaced by Keras' they were made from, low-rank updates added in.

    Right in inference, where the lab's layers do what their parents do. The stage itself when it is plain already.
    """
    if all(_of_keras(type(layer)) and not _updated(layer) for layer in stage.layers):
        return stage

    def replaced(layer: keras.layers.Layer) -> keras.layers.Layer:
        kind: Any = next(one for one in type(layer).__mro__ if _of_keras(one))
        config = layer.get_config()
        for name in ("lora_rank", "lora_alpha"):
            config.pop(name, None)
        return kind.from_config(config)

    made = keras.models.clone_model(stage, clone_function=replaced)
    for new, old in zip(made.layers, stage.layers, strict=True):
        new.set_weights(_weights(old)[: len(new.weights)])
    made.name = stage.name
    return made


def _weights(layer: keras.layers.Layer) -> list[np.ndarray]:
    """Its parent's own come first; what a layer of the lab adds, a random generator say, follows."""
    if not _updated(layer):
        return list(layer.get_weights())
    whole = [layer.kernel] + ([layer.bias] if layer.use_bias else [])
    return [np.asarray(keras.ops.convert_to_numpy(one)) for one in whole]


def _updated(layer: keras.layers.Layer) -> bool:
    return bool(getattr(layer, "lora_enabled", False))


def _of_keras(kind: type) -> bool:
    return kind.__module__.split(".")[0] == "keras"

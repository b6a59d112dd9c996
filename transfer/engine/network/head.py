"""What sits on the backbone: dense layers, if any are asked for, and the classifier."""

from __future__ import annotations

from collections.abc import Sequence

import keras


def head(classes: int, widths: Sequence[int] = (), dropout: float = 0.0, random: bool = False) -> keras.layers.Layer:
    """From features to logits, not built yet.

    On learned features a classifier begins at zero (as in BiT): what is random in it would stay, in
    all the directions that few samples do not reach. A network that is all new, or dense layers
    below, need it random to pass gradients.

    Args:
        classes: number of logits.
        widths: of the dense layers below, bottom to top.
        dropout: share of each dense layer's outputs that is dropped in training, 0 to 1.
        random: whether the network below is new.
    """
    begin = "glorot_uniform" if random or widths else "zeros"
    last = keras.layers.Dense(classes, kernel_initializer=begin, name="head", dtype="float32")
    if not widths:
        return last
    layers: list[keras.layers.Layer] = []
    for place, width in enumerate(widths):
        layers.append(keras.layers.Dense(width, activation="relu", name=f"head_dense{place + 1}", dtype="float32"))
        if dropout:
            layers.append(keras.layers.Dropout(dropout, name=f"head_dropout{place + 1}"))
    return keras.Sequential([*layers, last], name="head")

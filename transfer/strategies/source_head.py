"""The source's head as a layer of a strategy's own; not itself a strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.strategies import Shapes

if TYPE_CHECKING:
    import keras


def source_head(shapes: Shapes) -> keras.layers.Layer:
    """The source's head as a layer of the strategy's own, with its trained weights."""
    import keras

    assert shapes.source_head is not None, "catalog.check refuses a strategy that lacks what it needs"
    kernel, bias = shapes.source_head
    head = keras.layers.Dense(kernel.shape[1], name="source_head", dtype="float32")
    head.build((None, kernel.shape[0]))
    head.set_weights([kernel, bias])
    return head

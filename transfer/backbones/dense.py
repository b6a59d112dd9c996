"""The classic textbook network: no convolutions, one hidden layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.backbones import Backbone

if TYPE_CHECKING:
    import keras

HIDDEN = 128
DROPOUT = 0.2


def build(image_size: int) -> list[keras.Model]:
    """Flattened pixels, one dense layer, dropout."""
    import keras
    from keras import layers

    entry = keras.Input((image_size, image_size, 1))
    signal = layers.Rescaling(1 / 255, name="zero_to_one")(entry)
    signal = layers.Flatten(name="hidden_flatten")(signal)
    signal = layers.Dense(HIDDEN, activation="relu", name="hidden_dense")(signal)
    signal = layers.Dropout(DROPOUT, name="hidden_dropout")(signal)
    return [keras.Model(entry, signal, name="hidden")]


DENSE = Backbone(
    key="dense",
    title="Dense network",
    summary="The MNIST network of the Keras and TensorFlow tutorials. It does not know which pixels "
    "are neighbours, so shifting the picture ruins it: a baseline that shows the value of convolutions.",
    parameters=100_480,
    stages=("hidden",),
    size=28,
    smallest=8,
    channels=1,
    licence="Apache-2.0 (part of the lab)",
    reference="TensorFlow tutorial 'TensorFlow 2 quickstart for beginners'; "
    "Rumelhart, Hinton & Williams 1986, Learning representations by back-propagating errors",
    build=build,
    parts=frozenset({"biases", "kernels"}),
)

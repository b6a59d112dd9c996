"""A convolutional network small enough to be trained from scratch on a CPU in seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.backbones import Backbone

if TYPE_CHECKING:
    import keras

FILTERS = {"conv1": 16, "conv2": 32, "conv3": 64}
DENSE = 64


def build(image_size: int) -> list[keras.Model]:
    """Three convolutions, each of which halves the resolution, then one dense layer."""
    import keras
    from keras import layers

    stages = []
    entry = keras.Input((image_size, image_size, 1))
    signal = layers.Rescaling(1 / 255, name="zero_to_one")(entry)
    for name, filters in FILTERS.items():
        signal = layers.Conv2D(filters, 3, padding="same", name=f"{name}_conv")(signal)
        # Keras' momentum of .99 needs hundreds of steps; a run here has about 150.
        signal = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(signal)
        signal = layers.ReLU(name=f"{name}_relu")(signal)
        signal = layers.MaxPooling2D(name=f"{name}_pool")(signal)
        stages.append(keras.Model(entry, signal, name=name))
        entry = signal = keras.Input(signal.shape[1:])
    # Flattened, not averaged: the position of a stroke distinguishes a 6 from a 9.
    signal = layers.Flatten(name="dense_flatten")(signal)
    signal = layers.Dense(DENSE, activation="relu", name="dense_dense")(signal)
    return [*stages, keras.Model(entry, signal, name="dense")]


SMALL_CNN = Backbone(
    key="small_cnn",
    title="Small CNN",
    summary="Three convolutions and a dense layer: learns digits from scratch in seconds. "
    "Not pretrained: to transfer from it, choose a source data set.",
    parameters=60_672,
    stages=(*FILTERS, "dense"),
    size=28,
    smallest=8,
    channels=1,
    licence="Apache-2.0 (part of the lab)",
    reference="LeCun et al. 1998, Gradient-based learning applied to document recognition; "
    "batch normalisation: Ioffe & Szegedy 2015",
    build=build,
    parts=frozenset({"batch norm", "normalisation", "biases", "kernels", "maps"}),
)

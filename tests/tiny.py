"""A world small enough to train in a blink: two sets of a few real digits, and networks of three stages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from transfer import catalog
from transfer.backbones import Pretrained
from transfer.datasets import Dataset, Published, Samples

if TYPE_CHECKING:
    import keras

SIDE = 16
SOURCE, TARGET = "tiny_mnist", "tiny_digits"
NETWORK, PRETRAINED = "tiny_cnn", "tiny_pretrained"
STAGES = ("low", "high", "dense")


def few(inputs: np.ndarray, labels: np.ndarray, each: int) -> Samples:
    """The first samples of each class, class by class in turn."""
    places = np.stack([np.flatnonzero(labels == one)[:each] for one in range(10)], axis=1).ravel()
    return Samples(inputs[places], labels[places].astype("int64"))


def _digits(each: int) -> Published:
    """Hand-written digits of 8 x 8 pixels, enlarged."""
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    shrunk = (pictures.reshape(-1, 8, 8, 1) * 15.9375).astype("uint8")
    return Published(few(shrunk.repeat(2, axis=1).repeat(2, axis=2), labels, each))


@functools.cache
def _mnist(each: int) -> Published:
    """MNIST's digits at half their size, with a margin; read once, for it takes longer than a run."""
    whole = catalog.dataset("mnist_5k").load().train
    halved = whole.inputs.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).astype("uint8")[..., None]
    return Published(few(np.pad(halved, ((0, 0), (1, 1), (1, 1), (0, 0))), whole.labels, each))


def _dataset(key: str, load: Callable[[int], Published], each: int) -> Dataset:
    made = catalog.dataset("optdigits")
    return replace(
        made, key=key, title=key, shape=(SIDE, SIDE, 1), count=10 * each, load=partial(load, each), test_fraction=0.25
    )


def build(image_size: int, channels: int = 1) -> list[keras.Model]:
    """Two convolutions, each with batch normalisation, and a dense layer."""
    import keras
    from keras import layers

    stages = []
    entry = keras.Input((image_size, image_size, channels))
    flowing = layers.Rescaling(1 / 255)(entry)
    for name in STAGES[:2]:
        flowing = layers.Conv2D(8, 3, strides=2, padding="same")(flowing)
        flowing = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(flowing))
        stages.append(keras.Model(entry, flowing, name=name))
        entry = flowing = keras.Input(flowing.shape[1:])
    flowing = layers.Dense(16, activation="relu")(layers.Flatten()(flowing))
    return [*stages, keras.Model(entry, flowing, name=STAGES[2])]


def load(stages: list[keras.Model]) -> None:
    """Weights that are the same each time."""
    random = np.random.default_rng(0)
    for stage in stages:
        drawn = [random.normal(0, one.size**-0.25, one.shape) for one in stage.get_weights()]
        # No variance is negative.
        stage.set_weights([abs(one).astype("float32") if one.ndim == 1 else one.astype("float32") for one in drawn])


def quick() -> None:
    """TensorFlow leaves graphs as they are: to improve them takes a tenth of a tiny run, and pays in long ones only."""
    import tensorflow

    tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


def add(patch: pytest.MonkeyPatch) -> None:
    """Puts the tiny data sets and networks into the catalog; the pretrained one takes pictures in colour."""
    patch.setitem(catalog.datasets(), SOURCE, _dataset(SOURCE, _mnist, 40))
    patch.setitem(catalog.datasets(), TARGET, _dataset(TARGET, _digits, 24))
    about: dict[str, Any] = {"key": NETWORK, "title": "Tiny CNN", "parameters": 112 + 616 + 2_064, "stages": STAGES}
    about |= {"size": SIDE, "smallest": 4, "build": build}
    patch.setitem(catalog.backbones(), NETWORK, replace(catalog.backbone("small_cnn"), **about))
    about |= {"key": PRETRAINED, "title": "Tiny pretrained CNN", "parameters": 256 + 616 + 2_064, "channels": 3}
    about |= {"build": partial(build, channels=3), "pretrained": Pretrained("nothing", "these tests", "1", load)}
    patch.setitem(catalog.backbones(), PRETRAINED, replace(catalog.backbone("small_cnn"), **about))

"""Small networks in the forms people save them in, and what Keras itself makes of each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import keras
import numpy as np
from keras import layers

from transfer.backbones.pixels import PIXELS

SIDE = 16
PICTURES = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3)).astype("uint8")


class Form(NamedTuple):
    """A network as it was saved, and what the lab should make of it.

    Args:
        whole: the network itself.
        cut: the layer whose output, averaged over places, is the features.
        pixels: the range it is fed.
        said: words among those that tell what was understood.
        ending: of the file's name.
    """

    whole: keras.Model
    cut: str
    pixels: str
    said: str = ""
    ending: str = ".keras"


def pixels_in(channels: int = 3, height: int | None = SIDE, width: int | None = SIDE) -> keras.KerasTensor:
    return keras.Input((height, width, channels))


def filters(flowing: keras.KerasTensor, top: str = "top") -> keras.KerasTensor:
    flowing = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(flowing)
    flowing = layers.DepthwiseConv2D(3, padding="same", name="each")(flowing)
    # Features of Keras' usual size here would differ by less than a probability can show.
    return layers.Conv2D(6, 3, activation="relu", kernel_initializer=keras.initializers.RandomNormal(0, 0.5), name=top)(
        flowing
    )


def classified(flowing: keras.KerasTensor, classes: int = 3, activation: str | None = "softmax") -> keras.KerasTensor:
    flowing = layers.GlobalAveragePooling2D(name="mean_of_places")(flowing)
    return layers.Dense(classes, activation=activation, name="scores")(flowing)


def behind(preprocess: Callable[[keras.KerasTensor], keras.KerasTensor], pixels: str, said: str = "") -> Form:
    given = pixels_in()
    return Form(keras.Model(given, classified(filters(preprocess(given)))), "mean_of_places", pixels, said)


def adapted(most: float) -> layers.Normalization:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).beta(2, 3, (50, 4, 4, 3)) * most)
    return layer


def base(name: str = "base") -> keras.Model:
    given = pixels_in()
    flowing = layers.BatchNormalization(name="settled")(filters(given, "base_top"))
    made = keras.Model(given, layers.ReLU(name="base_end")(flowing), name=name)
    noise = np.random.default_rng(2).uniform(0.5, 1.5, (4, 6))
    made.get_layer("settled").set_weights(list(noise))
    return made


def base_inside() -> Form:
    given = pixels_in()
    varied = keras.Sequential([layers.RandomFlip(), layers.RandomRotation(0.1)], name="augmentation")(given)
    flowing = base()(layers.Rescaling(1 / 127.5, -1)(varied), training=False)
    flowing = layers.Dropout(0.2, name="dropped")(layers.GlobalAveragePooling2D()(flowing))
    scores = layers.Dense(3, activation="softmax", name="scores")(flowing)
    return Form(
        keras.Model(given, scores), "dropped", "0..255", "augmentation (RandomFlip, RandomRotation) is left out"
    )


def sequential(first: list[keras.layers.Layer], ending: str) -> Form:
    network = keras.Sequential([
        *first, layers.Rescaling(1 / 255), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(8, activation="relu", name="wide"), layers.Dense(3, name="scores"),
    ])  # fmt: skip
    network(PICTURES.astype("float32"))
    return Form(network, "wide", "0..255", "Its classifier (scores, 3 classes)", ending)


def teachable_machine() -> Form:
    """A Sequential of a base and of a Sequential with the classes."""
    below = keras.Sequential([base("model1"), layers.GlobalAveragePooling2D(name="mean_of_places")], name="features")
    head = [layers.Dense(8, activation="relu", name="wide"), layers.Dense(3, activation="softmax", name="scores")]
    whole = keras.Sequential([below, keras.Sequential(head, name="classes")])
    whole(PICTURES.astype("float32"))
    return Form(whole, "wide", "0..1", "groups of DepthwiseConv2D", ".h5")


def nested_normalization() -> Form:
    """In an older .h5, where Keras itself does not bring the mean of a nested Normalization to effect."""
    own = keras.Sequential([adapted(255)], name="own")
    whole = keras.Sequential(
        [pixels_in(), own, base(), layers.GlobalAveragePooling2D(name="mean_of_places"), layers.Dense(3)]
    )
    return Form(whole, "mean_of_places", "0..255", ending=".h5")


def convolution_scores(pooled_first: bool) -> Form:
    given = pixels_in()
    flowing = filters(layers.Rescaling(1 / 255)(given))
    if pooled_first:  # as MobileNet
        flowing = layers.GlobalAveragePooling2D(keepdims=True, name="below")(flowing)
        flowing = layers.Reshape((3,))(layers.Conv2D(3, 1, name="scores")(flowing))
    else:  # as SqueezeNet
        flowing = layers.Dropout(0.5, name="below")(flowing)
        flowing = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1, activation="relu", name="scores")(flowing))
    return Form(keras.Model(given, layers.Activation("softmax")(flowing)), "below", "0..255", "(scores, 3 classes)")


def mixed() -> Form:
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        made = behind(layers.Rescaling(1 / 255), "0..255")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    return made


def two_outputs() -> Form:
    given = pixels_in()
    scores = classified(filters(layers.Rescaling(1 / 255)(given)))
    box = layers.Dense(4, name="box")(scores)
    return Form(keras.Model(given, [scores, box]), "mean_of_places", "0..255", "2 outputs: only the first is used")


def shared() -> Form:
    """One layer in two places, and a weightless one, too."""
    given = pixels_in()
    same, pool = layers.Conv2D(3, 3, padding="same", name="same"), layers.MaxPooling2D(name="pool")
    flowing = pool(same(pool(same(layers.Rescaling(1 / 255)(given)))))
    whole = keras.Model(given, layers.Dense(2)(layers.Flatten(name="flat")(flowing)))
    return Form(whole, "flat", "0..255", "independent copies: same")


def uint8_in() -> Form:
    given = keras.Input((SIDE, SIDE, 3), dtype="uint8")
    flowing = keras.ops.cast(given, "float32") / 255.0
    return Form(keras.Model(given, classified(filters(flowing))), "mean_of_places", "0..255")


def sized(height: int | None, width: int | None, channels: int, said: str) -> Form:
    given = pixels_in(channels, height, width)
    whole = keras.Model(given, classified(filters(layers.Rescaling(1 / 255)(given)), 1, "sigmoid"))
    return Form(whole, "mean_of_places", "0..255", said)


APPLICATIONS = keras.applications
FORMS: dict[str, Callable[[], Form]] = {
    "plain": lambda: behind(lambda one: one, "0..1", "0 to 1 is assumed"),
    "rescaled": lambda: behind(layers.Rescaling(1 / 255), "0..255", "its own preprocessing expects these"),
    "to 255 and back": lambda: behind(lambda one: layers.Rescaling(1 / 255)(layers.Rescaling(255)(one)), "0..1"),
    "from -1": lambda: behind(lambda one: (one + 1) / 2, "-1..1"),
    "caffe": lambda: behind(APPLICATIONS.resnet50.preprocess_input, "0..255"),
    "tf": lambda: behind(APPLICATIONS.mobilenet_v2.preprocess_input, "0..255"),
    "torch": lambda: behind(APPLICATIONS.densenet.preprocess_input, "0..255"),
    "caffe from 1": lambda: behind(lambda one: APPLICATIONS.vgg16.preprocess_input(one * 255), "0..1"),
    "blue first": lambda: behind(lambda one: one[..., ::-1] / 255, "0..255"),
    "normalized 255": lambda: behind(adapted(255), "0..255"),
    "normalized 1": lambda: behind(adapted(1), "0..1"),
    "normalized by numbers": lambda: behind(layers.Normalization(mean=[120.0] * 3, variance=[3000.0] * 3), "0..255"),
    "base inside": base_inside,
    "base inside h5": lambda: base_inside()._replace(ending=".h5"),
    "sequential": lambda: sequential([pixels_in()], ".keras"),
    "sequential h5": lambda: sequential([pixels_in()], ".h5"),
    "sequential without input": lambda: sequential([], ".keras"),
    "sequential without input h5": lambda: sequential([], ".h5"),
    "teachable machine": teachable_machine,
    "nested normalization h5": nested_normalization,
    "mobilenet's end": lambda: convolution_scores(pooled_first=True),
    "squeezenet's end": lambda: convolution_scores(pooled_first=False),
    "mixed": mixed,
    "two outputs": two_outputs,
    "shared": shared,
    "bytes": uint8_in,
    "wide": lambda: sized(12, SIDE, 3, "pictures of 12 × 16 pixels"),
    "grey": lambda: sized(SIDE, SIDE, 1, "(scores, 2 classes)"),
    "any size": lambda: sized(None, None, 3, "pictures of any size"),
}


def written(form: Form, folder: Path) -> Path:
    path = folder / f"net{form.ending}"
    form.whole.save(path)
    if "groups" in form.said:
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = file.attrs["model_config"].replace(
                '"depth_multiplier": 1', '"depth_multiplier": 1, "groups": 1'
            )
    return path


def below(form: Form) -> keras.Model:
    """Keras' own way from the network's input to the layer at which it should be cut, nested networks and all."""
    given = form.whole.inputs[0]
    if form.cut in [layer.name for layer in form.whole.layers]:
        return keras.Model(given, form.whole.get_layer(form.cut).output)
    *lower, top = form.whole.layers
    flowing = functools.reduce(lambda flowing, layer: layer(flowing), lower, given)
    return keras.Model(given, top.get_layer(form.cut)(flowing))


def wanted(form: Form, pictures: np.ndarray) -> np.ndarray:
    fed = PIXELS[form.pixels]
    given = pictures.astype("float32")[..., : form.whole.inputs[0].shape[-1]]
    if form.whole.inputs[0].shape[1] not in (None, SIDE):
        given = np.asarray(keras.ops.image.resize(given, form.whole.inputs[0].shape[1:3]))
    found = np.asarray(below(form)(given * np.float32(fed.scale) + np.float32(fed.offset), training=False), "float32")
    return found.mean((1, 2)) if found.ndim == 4 else found

"""Pictures: brought to a common size and channel count, never by a reshape that cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

if TYPE_CHECKING:
    from transfer.backbones import Backbone
    from transfer.datasets import Samples

SHIFT = 0.08
TURN = np.deg2rad(10)
ZOOM = 0.1
MOST_FLATTENED = 4096


def read(inputs: Any, backbone: Backbone, size: int) -> Any:
    """The pictures as they are; the entrance does all that is left to do."""
    return inputs


def blank(count: int, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Black pictures; memory that nobody writes to is not taken."""
    return np.zeros((count, *shape), "uint8")


def entrance(shape: tuple[int, ...], size: int, channels: int) -> keras.Model:
    """From uint8 pictures of ``shape`` to float32 pixels (size, size, channels), still 0 to 255.

    It is part of the network, so that what is trained, tested and exported resizes alike. Grey
    becomes colour by repeating it, colour becomes grey by luma weights; resizing is bilinear.
    """
    inputs = keras.Input(shape, dtype="uint8", name="pictures")
    pixels = ops.cast(inputs, "float32")
    if shape[-1] == 1 and channels == 3:
        pixels = ops.repeat(pixels, 3, axis=-1)
    elif shape[-1] == 3 and channels == 1:
        pixels = ops.image.rgb_to_grayscale(pixels)
    if tuple(shape[:2]) != (size, size):
        pixels = ops.image.resize(pixels, (size, size), interpolation="bilinear")
    return keras.Model(inputs, pixels, name="entrance")


def pooled(stage: keras.Model) -> keras.Model:
    """The stage with its rows and columns made one vector.

    A small map is flattened, for where something lies can be what tells classes apart; a large one
    is averaged, or the head would have more weights than the network.
    """
    small = int(np.prod(stage.output_shape[1:])) <= MOST_FLATTENED
    pool = keras.layers.Flatten() if small else keras.layers.GlobalAveragePooling2D()
    return keras.Model(stage.input, pool(stage.output), name=stage.name)


def baseline(known: Samples, asked: Samples) -> None:
    """None: pixels alone say little of what a picture shows."""


def view(name: str, samples: np.ndarray, random: np.random.Generator, backbone: Backbone | None = None) -> np.ndarray:
    """The pictures ``plain``, as they are; ``weak``, as `augment` varies them; or ``strong``: turned further,
    of other contrast and brightness, with a square cut out.

    Args:
        name: which view.
        samples: shape (n, height, width, channels), uint8.
        random: consumed; equal generators give equal pictures.
        backbone: not used, pictures are varied alike for all.

    Reference:
        Sohn et al. 2020, FixMatch, section 2.2: weak and strong augmentation; Cubuk et al. 2019, RandAugment, of
        whose operations those are used here that leave a digit the digit it is.
    """
    if name == "plain":
        return samples
    if name == "weak":
        return augment(samples, random)
    return _cut_out(_toned(_moved(samples, random, 1.5 * SHIFT, 2 * TURN, 2 * ZOOM), random), random)


def augment(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each picture shifted by up to 8 %, turned by up to 10 degrees and zoomed by up to 10 %.

    Pictures are not mirrored: a mirrored 2 is no 2. The edge is continued outwards.

    Args:
        samples: shape (n, height, width, channels), uint8.
        random: consumed; equal generators give equal pictures.
    """
    return _moved(samples, random, SHIFT, TURN, ZOOM)


def _moved(samples: np.ndarray, random: np.random.Generator, most: float, angle: float, scale: float) -> np.ndarray:
    count, height, width = samples.shape[:3]
    turn, zoom = random.uniform(-angle, angle, count), random.uniform(1 - scale, 1 + scale, count)
    cosine, sine = np.cos(turn) / zoom, np.sin(turn) / zoom
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = random.uniform(-most, most, count) * width + middle_x - cosine * middle_x + sine * middle_y
    shift_y = random.uniform(-most, most, count) * height + middle_y - sine * middle_x - cosine * middle_y
    still = np.zeros(count)
    moves = np.stack([cosine, -sine, shift_x, sine, cosine, shift_y, still, still], axis=1)
    moved = ops.image.affine_transform(
        samples.astype("float32"), moves.astype("float32"), interpolation="bilinear", fill_mode="nearest"
    )
    return np.clip(np.rint(ops.convert_to_numpy(moved)), 0, 255).astype("uint8")


def _toned(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Contrast from a half to three halves, brightness up to a tenth more or less."""
    each = (len(samples), 1, 1, 1)
    middle = samples.mean(axis=(1, 2, 3), keepdims=True)
    toned = middle + (samples - middle) * random.uniform(0.5, 1.5, each) + random.uniform(-25, 25, each)
    return np.clip(np.rint(toned), 0, 255).astype("uint8")


def _cut_out(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A square of a quarter of the height, anywhere, in the picture's mean grey."""
    count, height, width, _ = samples.shape
    side = max(1, height // 4)
    each = (count, 1, 1, 1)
    top, left = random.integers(0, height, each), random.integers(0, width, each)
    rows, columns = np.arange(height)[None, :, None, None], np.arange(width)[None, None, :, None]
    inside = (abs(rows - top) * 2 <= side) & (abs(columns - left) * 2 <= side)
    return np.where(inside, samples.mean(axis=(1, 2, 3), keepdims=True).astype("uint8"), samples)

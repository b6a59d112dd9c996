"""Pictures: brought to a common size and channel count, never by a reshape that cuts."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

SHIFT = 0.08
TURN = np.deg2rad(10)
ZOOM = 0.1


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


def augment(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each picture shifted by up to 8 %, turned by up to 10 degrees and zoomed by up to 10 %.

    Pictures are not mirrored: a mirrored 2 is no 2. The edge is continued outwards.

    Args:
        samples: shape (n, height, width, channels), uint8.
        random: consumed; equal generators give equal pictures.
    """
    count, height, width = samples.shape[:3]
    turn, zoom = random.uniform(-TURN, TURN, count), random.uniform(1 - ZOOM, 1 + ZOOM, count)
    cosine, sine = np.cos(turn) / zoom, np.sin(turn) / zoom
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = random.uniform(-SHIFT, SHIFT, count) * width + middle_x - cosine * middle_x + sine * middle_y
    shift_y = random.uniform(-SHIFT, SHIFT, count) * height + middle_y - sine * middle_x - cosine * middle_y
    still = np.zeros(count)
    moves = np.stack([cosine, -sine, shift_x, sine, cosine, shift_y, still, still], axis=1)
    moved = ops.image.affine_transform(
        samples.astype("float32"), moves.astype("float32"), interpolation="bilinear", fill_mode="nearest"
    )
    return np.clip(np.rint(ops.convert_to_numpy(moved)), 0, 255).astype("uint8")

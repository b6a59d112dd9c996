"""Pictures as they are shown: enlarged without blur, and with what a network looked at laid over."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIDE = 112
# Black, violet, red, yellow, white: reads as more on grey and on colour, and in grey alone.
STOPS = np.array([[0, 0, 0], [87, 15, 109], [187, 55, 84], [249, 142, 8], [252, 255, 164]], float)


def enlarged(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The picture in colour, its longer side ``side`` pixels; small ones keep their square pixels.

    Args:
        picture: shape (height, width, 1 or 3), uint8.
        side: of the result, in pixels.

    Returns:
        Shape (height, width, 3), uint8.
    """
    colour = np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(colour).resize(size, way))


def overlay(picture: np.ndarray, heat: np.ndarray, side: int = 2 * SIDE, strength: float = 0.6) -> np.ndarray:
    """The picture in grey with the heat over it: bright where the network found what speaks for the class.

    Args:
        picture: shape (height, width, 1 or 3), uint8.
        heat: shape (rows, columns), 0 to 1; it is stretched over the whole picture.
        side: of the result, in pixels.
        strength: how much of the picture the heat covers where it is 1, 0 to 1.

    Returns:
        Shape (height, width, 3), uint8.
    """
    base = enlarged(picture, side).astype(float)
    grey = base.mean(axis=-1, keepdims=True).repeat(3, axis=-1)
    height, width = grey.shape[:2]
    spread = Image.fromarray(np.asarray(heat, "float32")).resize((width, height), Image.Resampling.BICUBIC)
    hot = np.clip(np.asarray(spread), 0, 1)
    place = hot * (len(STOPS) - 1)
    colour = np.stack([np.interp(place, np.arange(len(STOPS)), STOPS[:, one]) for one in range(3)], axis=-1)
    # Where nothing is hot the picture stays as it is, a little darker so that the rest stands out.
    cover = (strength * hot)[..., None]
    return np.clip(0.85 * grey * (1 - cover) + colour * cover, 0, 255).astype("uint8")

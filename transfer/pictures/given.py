"""A person's picture brought to what a network was trained on: decoded, cut square, sized, its strokes centred."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from transfer import settings
from transfer.errors import RequestError
from transfer.pictures import decoder, formats
from transfer.pictures.decoder import BadPicture, Scales

INK = 0.15
BOX = 20 / 28
DIGITS = tuple("0123456789")

# A file's content, or what was drawn: RGB, shape (height, width, 3), uint8.
Given = bytes | np.ndarray


def checked(content: bytes) -> bytes:
    """A file's content, once its header says that it is a picture.

    Raises:
        RequestError: it is no picture, is broken, or too large.
    """
    try:
        formats.header(io.BytesIO(content))
    except BadPicture as problem:
        raise _refused(problem) from problem
    return content


def decoded(content: bytes, scales: Scales | None = None) -> np.ndarray:
    """The whole picture in a file: RGB, shape (height, width, 3), uint8, upright, on white where clear.

    Raises:
        RequestError: it is no picture, is broken, or too large.
    """
    try:
        return decoder.colour(io.BytesIO(content), scales, settings.most_pixels())
    except BadPicture as problem:
        raise _refused(problem) from problem


def shaped(given: Given, shape: tuple[int, ...], scales: Scales | None = None, strokes: bool = False) -> np.ndarray:
    """A given picture in the shape a network was trained on, decoded exactly as its training pictures were.

    Args:
        given: a file's content, or what was drawn.
        shape: (height, width, channels) of the result, channels 1 or 3.
        scales: of the network's training pictures, when they were deeper than eight bits.
        strokes: whether to treat it as a digit, see `fitted`.

    Returns:
        uint8 of ``shape``.

    Raises:
        RequestError: the file is no picture, is broken, or too large.
    """
    if isinstance(given, np.ndarray):
        return fitted(given, shape, strokes)
    if strokes:
        return fitted(decoded(given, scales), shape, strokes)
    height, width, channels = shape
    try:
        return decoder.decoded(io.BytesIO(given), (width, height), channels, scales, settings.most_pixels())
    except BadPicture as problem:
        raise _refused(problem) from problem


def _refused(problem: BadPicture) -> RequestError:
    remedy = "Give a whole picture: PNG, JPEG, HEIC, AVIF, WebP, GIF, BMP or TIFF."
    return RequestError("This is not a picture that can be read.", str(problem), remedy)


def flat(picture: np.ndarray) -> np.ndarray:
    """A picture with transparency laid on white; shape (height, width, 4) to (height, width, 3), uint8."""
    cover = picture[..., 3:].astype(float) / 255
    return np.rint(picture[..., :3] * cover + 255 * (1 - cover)).astype("uint8")


def fitted(picture: np.ndarray, shape: tuple[int, ...], strokes: bool = False) -> np.ndarray:
    """What was drawn in the shape a network was trained on.

    Its middle square (or the part of the shape's proportions) is kept, then it is made smaller or larger; grey
    by luma weights. It misleads when what counts lies at the edge.

    Args:
        picture: RGB, shape (height, width, 3), uint8.
        shape: (height, width, channels) of the result, channels 1 or 3.
        strokes: whether to treat it as a digit: light strokes on dark, centred by their mass in 20 of 28 pixels, as
            MNIST was made; paper that is light is turned dark.

    Returns:
        uint8 of ``shape``.

    Reference:
        LeCun et al. 1998, section III.A, for how MNIST's digits were centred.
    """
    height, width, channels = shape
    if strokes:
        return _as_digit(picture, height, width, channels)
    return decoder.brought(picture, (width, height), channels)


def _as_digit(picture: np.ndarray, height: int, width: int, channels: int) -> np.ndarray:
    ink = np.asarray(Image.fromarray(picture).convert("L")).astype(float)
    edge = np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]])
    ink = 255 - ink if np.median(edge) > 127 else ink
    ink -= ink.min()
    rows, columns = (np.flatnonzero((ink > INK * 255).any(axis=axis)) for axis in (1, 0))
    blank = np.zeros((height, width))
    if len(rows) and len(columns):
        cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        scale = BOX * min(height, width) / max(cut.shape)
        size = tuple(max(1, round(one * scale)) for one in reversed(cut.shape))
        small = np.asarray(Image.fromarray(cut.astype("float32")).resize(size, Image.Resampling.BOX))
        blank = _placed(small, height, width)
        blank *= 255 / max(1.0, blank.max())
    return np.repeat(np.clip(np.rint(blank), 0, 255).astype("uint8")[..., None], channels, axis=-1)


def _placed(small: np.ndarray, height: int, width: int) -> np.ndarray:
    """The strokes on a dark ground with their centre of mass in the middle, as far as they fit."""
    mass = max(float(small.sum()), 1e-9)
    middle = [float((small.sum(axis=1 - axis) * np.arange(small.shape[axis])).sum()) / mass for axis in (0, 1)]
    found = np.zeros((height, width))
    corner = [
        int(np.clip(round((side - 1) / 2 - at), 0, side - length))
        for side, at, length in zip((height, width), middle, small.shape, strict=True)
    ]
    found[corner[0] : corner[0] + small.shape[0], corner[1] : corner[1] + small.shape[1]] = small
    return found

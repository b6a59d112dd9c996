"""The pixel range that a network expects, and how to detect it from what the network does to numbers.

Before its first weights a network may do its own preprocessing. Its effect on a few uniform pictures shows which
pixel value it maps to zero, and how much brightness it maps to one. A network that centres on 120 was made for
pixels of 0 to 255, whatever its operations are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transfer.errors import RequestError

ImageNet = tuple[float, float, float]
_MEAN: ImageNet = (0.485, 0.456, 0.406)
_SPREAD: ImageNet = (0.229, 0.224, 0.225)
_CAFFE_MEAN: ImageNet = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Range:
    """How pixels of 0 to 255 are converted before the network gets them: ``pixels * scale + offset``.

    Args:
        words: description for the page and for records.
        scale, offset: one number, or one per channel.
        blue_first: whether the order of the channels is reversed first.
    """

    words: str
    scale: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0
    blue_first: bool = False


PIXELS = {
    "0..255": Range("0 to 255"),
    "0..1": Range("0 to 1", 1 / 255),
    "-1..1": Range("-1 to 1", 1 / 127.5, -1.0),
    "torch": Range(
        "0 to 1, then standardised with ImageNet's mean and standard deviation (torch)",
        tuple(1 / (255 * spread) for spread in _SPREAD),
        tuple(-mean / spread for mean, spread in zip(_MEAN, _SPREAD, strict=True)),
    ),
    "caffe": Range(
        "0 to 255 minus ImageNet's mean, blue first (caffe)", 1.0, tuple(-mean for mean in _CAFFE_MEAN), blue_first=True
    ),
}
ASSUMED = "0..1"
_COLOUR = ("torch", "caffe")
PROBED = (0.0, 0.25, 1.0, 64.0, 200.0, 255.0)


def offered(channels: int) -> list[str]:
    """The ranges that a network with that many channels can be fed."""
    return [name for name in PIXELS if channels == 3 or name not in _COLOUR]


def checked(asked: str, channels: int) -> str:
    """The requested range.

    Raises:
        RequestError: there is no such range, or not for a network with that many channels.
    """
    if asked not in (ranges := offered(channels)):
        raise RequestError("There is no such range of pixels.", repr(asked), f"Give {', '.join(ranges)}.")
    return asked


def probes(height: int, width: int, channels: int) -> np.ndarray:
    """Uniform pictures, one for each brightness in `PROBED`; shape (n, height, width, channels), float32."""
    brightness = np.array(PROBED, "float32")[:, None, None, None]
    return np.broadcast_to(brightness, (len(PROBED), height, width, channels)).copy()


def line(answers: np.ndarray) -> tuple[float, float] | None:
    """The brightness that is mapped to 0, and the increase that raises the output by 1; None if not linear.

    Args:
        answers: outputs for `probes`, shape (n, ...); the centre counts, because the edge may be padded.
    """
    while answers.ndim > 2:
        answers = answers[:, answers.shape[1] // 2]
    slope = (answers[-1] - answers[0]) / PROBED[-1]
    straight = answers[0] + np.array(PROBED)[:, None] * slope
    if not np.all(np.isfinite(answers)) or np.any(np.abs(slope) < 1e-12):
        return None
    if np.max(np.abs(straight - answers) / np.abs(slope)) > 0.05:
        return None
    return float(np.median(-answers[0] / slope)), float(np.median(np.abs(1 / slope)))


def of_line(zero: float, unit: float) -> str | None:
    """The range for which these values make sense; None if pixels stay as they are.

    Args:
        zero: the brightness that is mapped to 0.
        unit: how much more brightness is mapped to 1.
    """
    if abs(zero) < 1e-3 and abs(unit - 1) < 1e-3:
        return None
    if max(zero, unit) > 2:
        return "0..255"
    return "-1..1" if zero < -0.01 else "0..1"


def told_by(steps: list[Callable[[np.ndarray], np.ndarray]], height: int, width: int, channels: int) -> str | None:
    """The range a network's own preprocessing expects; None if it has none, or if it is not linear.

    Args:
        steps: functions of the pictures: first the complete preprocessing, then up to each of its operations.
        height, width, channels: size of the pictures.
    """
    pictures = probes(height, width, channels)
    for step in steps:
        found = line(np.asarray(step(pictures)))
        told = of_line(*found) if found else None
        if told is not None:
            return told
    return None


def told_by_statistics(
    kernel: np.ndarray, bias: np.ndarray | float, mean: np.ndarray, variance: np.ndarray
) -> str | None:
    """The range estimated from a first convolution and the batch statistics after it; None if they tell nothing.

    Averaged over many pictures, a filter's output is the sum of its weights times the mean pixel, so the filters
    together determine that pixel. The variance of the outputs gives its spread. An estimate, which users may override.

    Args:
        kernel: shape (height, width, channels, filters).
        bias: shape (filters,), or 0.
        mean, variance: moving statistics of the filters' outputs, shape (filters,).
    """
    sums = kernel.sum((0, 1, 2))
    if np.allclose(mean, 0) and np.allclose(variance, 1):
        return None  # never trained
    weight = sums / np.maximum(variance, 1e-12)
    strength = float(weight @ sums)
    if strength < 1e-6:
        return None
    pixel = float(weight @ (mean - bias)) / strength
    # Filters that respond to brightness rather than edges: their variance is that of the pictures' brightness.
    plain = np.abs(sums) / np.sqrt((kernel**2).sum((0, 1, 2)) * np.prod(kernel.shape[:3]))
    seen = np.argsort(plain)[-max(1, len(plain) // 4) :]
    spread = float(np.sqrt(np.median(variance[seen] / np.maximum(sums[seen] ** 2, 1e-12))))
    return of_pixel(pixel, spread, kernel.shape[2])


def of_pixel(pixel: float, spread: float, channels: int) -> str | None:
    """The range of pictures with this mean pixel and standard deviation; None if several would fit."""
    if spread > 10:
        return "caffe" if channels == 3 and pixel < 0.35 * spread else "0..255"
    if pixel > 2:
        return "0..255"
    if pixel > 0.2:
        return "0..1" if spread < 0.6 else None
    if -0.6 < pixel <= 0.2 and 0.3 < spread < 0.75:
        return "-1..1"
    return "torch" if channels == 3 and abs(pixel) <= 0.5 and 0.75 <= spread < 2 else None

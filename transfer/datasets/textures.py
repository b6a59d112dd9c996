"""Textures: ten surfaces cut from the photographs that come with scikit-image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from transfer.datasets import Dataset, Published, Samples

_SIDE = 64
_EACH = 30
_FLAT = 2.0


@dataclass(frozen=True)
class _Photograph:
    """One class: a function of ``skimage.data`` that needs no download.

    Args:
        name: class name.
        source: name of the function.
        scale: enlargement, for photographs too small for enough patches.
        margin: share cut off at each edge, for a photograph with a black frame.
    """

    name: str
    source: str
    scale: float = 1.0
    margin: float = 0.0


_PHOTOGRAPHS = (
    _Photograph("brick", "brick"),
    _Photograph("grass", "grass"),
    _Photograph("gravel", "gravel"),
    _Photograph("moon", "moon"),
    _Photograph("deep sky", "hubble_deep_field"),
    _Photograph("stained tissue", "immunohistochemistry"),
    _Photograph("retina", "retina", margin=0.15),
    _Photograph("coins", "coins", scale=2.0),
    _Photograph("page", "page", scale=2.5),
    _Photograph("cell", "cell"),
)


def _surface(photograph: _Photograph) -> np.ndarray:
    """The photograph in grey, (height, width), float32."""
    from skimage import data

    picture = Image.fromarray(getattr(data, photograph.source)()).convert("L")
    width, height = picture.size
    left, top = int(width * photograph.margin), int(height * photograph.margin)
    picture = picture.crop((left, top, width - left, height - top))
    enlarged = (round(picture.width * photograph.scale), round(picture.height * photograph.scale))
    return np.asarray(picture.resize(enlarged, Image.Resampling.BICUBIC), dtype=np.float32)


def _halves(surface: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left and right half, which share no column of pixels."""
    middle = surface.shape[1] // 2
    return surface[:, :middle], surface[:, middle:]


def _patches(half: np.ndarray) -> np.ndarray:
    """30 patches spread evenly over a half, (30, 64, 64), none touching another's pixels.

    Validation is drawn from the same half as training; patches that overlapped would be in both.
    Patches without contrast (empty paper, black sky) show no surface and are left out.
    """
    height, width = half.shape
    grid = [
        half[top : top + _SIDE, left : left + _SIDE]
        for top in range(0, height - _SIDE + 1, _SIDE)
        for left in range(0, width - _SIDE + 1, _SIDE)
    ]
    textured = [patch for patch in grid if patch.std() >= _FLAT]
    spread = np.linspace(0, len(textured) - 1, _EACH).round().astype(int)
    return np.stack([textured[index] for index in spread])


def _normalised(patches: np.ndarray) -> np.ndarray:
    """Every patch with mean 128 and deviation 48, (n, 64, 64, 1), uint8: brightness gives nothing away."""
    mean = patches.mean(axis=(1, 2), keepdims=True)
    deviation = patches.std(axis=(1, 2), keepdims=True)
    grey = np.round(128 + 48 * (patches - mean) / deviation)
    return np.clip(grey, 0, 255).astype(np.uint8)[..., np.newaxis]


def _load() -> Published:
    halves = [_halves(_surface(photograph)) for photograph in _PHOTOGRAPHS]
    labels = np.repeat(np.arange(len(_PHOTOGRAPHS), dtype=np.int64), _EACH)
    train, test = (
        Samples(_normalised(np.concatenate([_patches(half) for half in side])), labels.copy())
        for side in zip(*halves, strict=True)
    )
    return Published(train, test)


TEXTURES = Dataset(
    key="textures",
    title="Textures",
    summary=(
        "600 patches of ten surfaces, 64x64 pixels, grey and contrast-normalised, from photographs that "
        "come with scikit-image; trained on the left half of each, tested on the right."
    ),
    classes=tuple(photograph.name for photograph in _PHOTOGRAPHS),
    shape=(_SIDE, _SIDE, 1),
    count=2 * _EACH * len(_PHOTOGRAPHS),
    licence="public domain, CC0",
    reference="[scikit-image, skimage.data](https://scikit-image.org/docs/stable/api/skimage.data.html)",
    load=_load,
    drawn_from=("Textures, left halves",),
    tested_from=("Textures, right halves",),
    warning="It recognises surfaces, one photograph a class, not categories.",
)

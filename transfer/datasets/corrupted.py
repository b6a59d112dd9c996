"""A data set with a domain gap made to order: ``mnist_5k~noise`` or ``optdigits~blur:5``.

Every picture, of training and of test, is changed in one way; the labels stay. What is changed is done by
scikit-image. The key says all: any data set, one of `KINDS`, a severity from 1 to 5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np

from transfer.datasets import Dataset, Published, Samples
from transfer.errors import RequestError, UnknownKey

MARK = "~"
MOST = 5
KINDS = {
    "noise": "grain",
    "blur": "blurred",
    "rotation": "turned",
    "inversion": "light and dark exchanged",
    "background": "on a photograph, as MNIST-M",
}


def variant(key: str, known: Mapping[str, Dataset]) -> Dataset:
    """The data set of a key like ``mnist_5k~noise:3``; severity 3 when none is given.

    Raises:
        UnknownKey: the data set, the kind or the severity is not known.
        RequestError: it has no pictures.
    """
    name, _, change = key.rpartition(MARK)
    kind, _, severity = change.partition(":")
    clean = known[name]
    if kind not in KINDS:
        raise UnknownKey("corruption", kind, KINDS)
    if clean.modality != "image":
        raise RequestError("Only pictures can be changed in this way.", key, f"Use {name} as it is.")
    steps = [str(step) for step in range(1, MOST + 1)]
    if severity and severity not in steps:
        raise UnknownKey("severity", severity, steps)
    level = int(severity or 3)

    def load() -> Published:
        published = clean.load()
        if clean.kept:
            return _on_disk(published, kind, level)
        parts = (published.train, published.test, published.validation)
        train, test, validation = (one and _changed(one, kind, level, number) for number, one in enumerate(parts))
        assert train is not None
        return Published(train, test, validation)

    words = f"{clean.title}, {KINDS[kind]} ({level} of {MOST})"
    return replace(clean, key=f"{name}{MARK}{kind}:{level}", title=words, load=load, sheet=None, base=clean)


def is_variant(key: str) -> bool:
    """Whether the key asks for a changed data set; a folder's path may have the mark in it, too."""
    name, _, change = key.rpartition(MARK)
    return bool(name) and change.partition(":")[0] in KINDS


def base(key: str) -> str:
    """The key of the data set that is changed, whatever is done to it, also several times over; else the key."""
    while is_variant(key):
        key = key.rpartition(MARK)[0]
    return key


def _on_disk(published: Published, kind: str, level: int) -> Published:
    """Each picture changed, one after another, and kept on disk like those it is made from."""
    from transfer.pictures.pack import packed

    parts: list[Samples | None] = []
    for number, samples in enumerate((published.train, published.test, published.validation)):
        if samples is None:
            parts.append(None)
            continue
        parts.append(Samples(_repacked(samples.inputs, kind, level, number, packed), samples.labels))
    assert parts[0] is not None
    return Published(parts[0], parts[1], parts[2])


def _repacked(pictures: Any, kind: str, level: int, part: int, packed: Callable[..., Any]) -> np.ndarray:
    def picture(place: int) -> np.ndarray:
        changed = _one(pictures[place] / 255, kind, level, np.random.default_rng([level, part, place]))
        return np.clip(np.rint(changed * 255), 0, 255).astype("uint8")

    stamp = f"{pictures.identity} {kind} {level} {part}"
    names = [str(place) for place in range(len(pictures))]
    return cast(np.ndarray, packed(stamp, pictures.shape[1:], names, picture).pictures(np.arange(len(pictures))))


def _changed(samples: Samples, kind: str, level: int, part: int) -> Samples:
    """Each picture changed; equal every time, for what is drawn follows from its place alone."""
    random = np.random.default_rng([level, part])
    pictures = np.stack([_one(picture / 255, kind, level, random) for picture in samples.inputs])
    return Samples(np.clip(np.rint(pictures * 255), 0, 255).astype("uint8"), samples.labels)


def _one(picture: np.ndarray, kind: str, level: int, random: np.random.Generator) -> np.ndarray:
    """One picture, pixels 0 to 1, shape (height, width, channels)."""
    from skimage import filters, transform
    from skimage.util import invert, random_noise

    if kind == "noise":
        return np.asarray(random_noise(picture, "gaussian", rng=random, var=(0.08 * level) ** 2))
    if kind == "blur":
        return np.asarray(filters.gaussian(picture, 0.02 * level * picture.shape[0], channel_axis=-1))
    if kind == "rotation":
        return np.asarray(transform.rotate(picture, 9.0 * level, mode="edge"))
    if kind == "inversion":
        return picture + (invert(picture) - picture) * level / MOST
    return np.abs(_patch(picture.shape, random) * level / MOST - picture)


def _patch(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """A piece of a photograph, in the picture's size and channels.

    Reference:
        Ganin et al. 2016, section 5.2.4: MNIST-M blends digits with patches as |patch - digit|; patches there are of
        BSDS500, here of the photographs that come with scikit-image.
    """
    photographs = _photographs(shape[2])
    photograph = photographs[random.integers(len(photographs))]
    # A picture that is larger than the photograph gets it with its mirror images around it.
    missing = [max(0, small - big + 1) for big, small in zip(photograph.shape, shape[:2], strict=False)]
    if any(missing):
        photograph = np.pad(photograph, [(0, more) for more in (*missing, 0)], mode="symmetric")
    row, column = (random.integers(0, big - small) for big, small in zip(photograph.shape, shape[:2], strict=False))
    return photograph[row : row + shape[0], column : column + shape[1]]


@cache
def _photographs(channels: int) -> list[np.ndarray]:
    """Four photographs, pixels 0 to 1, in colour or grey."""
    from skimage import color, data

    found = [one()[..., :3] / 255 for one in (data.astronaut, data.coffee, data.chelsea, data.rocket)]
    return found if channels == 3 else [np.asarray(color.rgb2gray(one))[..., None] for one in found]

"""Backbones. Adding one is one new file here that defines a `Backbone` at module level.

A file may define several, one by one or in a list; the catalog finds them. Import Keras
inside the building function: the pages read this package and must stay light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from transfer.seen.lessons import Lesson

if TYPE_CHECKING:
    import keras


# What some strategies work on; see `transfer.void`.
Part = Literal["batch norm", "normalisation", "biases", "kernels", "maps"]


@dataclass(frozen=True)
class Pretrained:
    """Where a backbone's own weights come from.

    Args:
        source: the data they were learned on, as people call it ("ImageNet").
        origin: file or package they were taken from.
        identity: changes whenever a weight does (a digest or a release name); keys the caches.
        load: puts the weights into the stages that `Backbone.build` returned; may download.
        download_mb: size of that download in megabytes, 0 when shipped with the lab.
        content: digest of the person's file that holds them; empty when they come from elsewhere.
    """

    source: str
    origin: str
    identity: str
    load: Callable[[list[keras.Model]], None]
    download_mb: float = 0.0
    content: str = ""


@dataclass(frozen=True)
class Backbone:
    """A network without its head: its stages, its own preprocessing and where its weights come from.

    Args:
        key: name on the command line and in records, snake_case.
        title: name on the page.
        summary: what it is good for, one or two sentences.
        parameters: number of weights without the head (for a fixed-size network, at ``image_size``).
        stages: names of the stages, bottom to top.
        image_size: height and width it is fed by default, in pixels.
        smallest: smallest sensible height and width, in pixels.
        channels: 1 for grey, 3 for colour.
        licence: licence of code and weights.
        reference: the paper.
        build: ``build(image_size)`` returns one `keras.Model` a stage, bottom to top, named as in
            ``stages``, randomly initialised, each taking the output of the one below. The first
            takes float32 pixels, 0 to 255, shape (n, image_size, image_size, channels), and does the
            network's own preprocessing; the last returns features, shape (n, d).
        pretrained: its own weights, or None when it has to be trained on a source first.
        source_head: kernel and bias of the classifier its weights were learned with, if there is one.
        preprocessing: what its first stage does to the pixels, in a few words.
        top1: share of ImageNet's validation pictures whose class it puts first, with its classifier and at the size
            it was trained on, in percent; None when it was learned on something else.
        modality: key of the kind of sample it reads.
        largest: greatest height and width, in pixels; None for any.
        classes: names of the classes of ``source_head``, in order; empty when they are not known.
        lessons: what its weights have learned from, as far as the lab trained them.
        parts: what its stages have of the parts that some strategies work on; None when nobody knows beforehand.
        fixed: whether its weights can never move, nor begin anew: it gives features and no more.
        notes: what a run with it has to say: what was assumed of the network, and what was left out of it.
    """

    key: str
    title: str
    summary: str
    parameters: int
    stages: tuple[str, ...]
    image_size: int
    smallest: int
    channels: int
    licence: str
    reference: str
    build: Callable[[int], list[keras.Model]]
    pretrained: Pretrained | None = None
    source_head: Callable[[], tuple[np.ndarray, np.ndarray]] | None = None
    modality: str = "image"
    preprocessing: str = "pixels / 255"
    top1: float | None = None
    largest: int | None = None
    classes: tuple[str, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    fixed: bool = False
    notes: tuple[str, ...] = ()
    parts: frozenset[Part] | None = None


@dataclass(frozen=True)
class Family:
    """Backbones that are made when they are asked for, by a key of their own kind: ``run:260101-120000-abc123``.

    Args:
        prefix: what stands before the colon.
        open: from what stands after it to the backbone; imports no Keras. Raises `RequestError` when there is none.
        known: keys of those that are offered beside the catalog's.
    """

    prefix: str
    open: Callable[[str], Backbone]
    known: Callable[[], list[str]]

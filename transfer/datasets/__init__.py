"""Data sets. Adding one is one new file here that defines a `Dataset` at module level.

A file may define several, one by one or in a list; the catalog finds them. Import heavy
libraries inside the loading function: the pages read this package and must stay light.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Samples:
    """Labelled samples of one data set, in a fixed order.

    Args:
        inputs: pictures, shape (n, height, width, channels), uint8, 0 to 255; an array, or what indexes like one and
            reads pictures from disk as they are asked for (`transfer.pictures.kept.Pictures`). Texts are a
            `transfer.texts.kept.Texts`.
        labels: class indices, shape (n,), int64, 0 to number of classes - 1.
    """

    inputs: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> Samples:
        """The samples at these positions, in this order."""
        rows = getattr(self.inputs, "rows", None)  # pictures on disk are chosen, not read
        return Samples(self.inputs[indices] if rows is None else rows(indices), self.labels[indices])


@dataclass(frozen=True)
class Published:
    """A data set as its authors give it: a training part and, when they made them, parts for test and validation."""

    train: Samples
    test: Samples | None = None
    validation: Samples | None = None


@dataclass(frozen=True)
class Dataset:
    """What a person needs to know of a data set before choosing it, and how to load it.

    Args:
        key: name on the command line and in records, snake_case.
        title: name on the page.
        summary: what it shows and where it comes from, one or two sentences.
        classes: class names in label order; two data sets with equal names share a head.
        shape: (height, width, channels) of a picture as loaded; empty for texts.
        count: number of labelled samples in all, training and test.
        licence: licence or terms, in a word or two.
        reference: where it was published.
        load: returns `Published`; slow, may need a network when ``download_mb`` > 0.
        download_mb: size of the download in megabytes, 0 when it comes with the installation.
        test_fraction: share held out as test set when the authors made none, 0 to 1.
        warning: when results on it mislead, one sentence; empty when nothing special.
        modality: key of the kind of sample.
        kept: whether ``load`` keeps its pictures on disk itself; the engine then makes no copy of its own.
        sheet: where its sample sheet will lie once it is drawn; None for one that is shipped.
        stamp: changes whenever its files do; empty for one that is published and stays.
        base: the data set it is made from, if it is another one changed.
        scales: of own pictures deeper than eight bits, by their depth: what becomes black and what white.
        understood: how a folder of one's own was read, in plain sentences.
        drawn_from: collections of pictures that its training part is taken from, so that data sets that share
            pictures are known to. Empty: its own, which no other has.
        tested_from: the same of its published test part. Empty: the test is drawn from the training part.
    """

    key: str
    title: str
    summary: str
    classes: tuple[str, ...]
    shape: tuple[int, ...]
    count: int
    licence: str
    reference: str
    load: Callable[[], Published]
    download_mb: float = 0.0
    test_fraction: float = 0.25
    warning: str = ""
    modality: str = "image"
    kept: bool = False
    sheet: Path | None = None
    stamp: str = ""
    base: Dataset | None = None
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    understood: tuple[str, ...] = ()
    drawn_from: tuple[str, ...] = ()
    tested_from: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Changes whenever its files do, or the code that loads it, or what it is made from; keys the caches."""
        from transfer.datasets.versions import code

        words = self.stamp + code(self.load) + (self.base.version if self.base else "")
        return hashlib.sha256(words.encode("utf-8", "surrogateescape")).hexdigest()[:12]

    @property
    def sample_sheet(self) -> Path | None:
        """A picture of two samples a class, shipped with the lab or drawn since, or None when there is none."""
        path = self.sheet or Path(__file__).parent / "samples" / f"{self.key}.png"
        return path if path.exists() else None


@dataclass(frozen=True)
class Family:
    """Data sets that are made when they are asked for, by a key of their own kind: ``folder:/data/flowers``.

    Args:
        prefix: what stands before the colon.
        open: from what stands after it to the data set; cheap, for the pages ask at every change. Raises
            `RequestError` when there is none.
        known: keys of those that are offered beside the catalog's.
    """

    prefix: str
    open: Callable[[str], Dataset]
    known: Callable[[], list[str]]

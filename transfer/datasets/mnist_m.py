"""MNIST-M: MNIST's digits blended with photographs, made here as its authors made theirs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transfer.datasets import Published, Samples
from transfer.datasets.corrupted import variant
from transfer.datasets.keras_downloads import DATASETS

_MNIST = next(one for one in DATASETS if one.key == "mnist")


def load() -> Published:
    """MNIST in colour on pieces of photographs, at full strength."""

    def coloured() -> Published:
        published = _MNIST.load()
        assert published.test is not None
        train, test = (
            Samples(np.repeat(one.inputs, 3, axis=-1), one.labels) for one in (published.train, published.test)
        )
        return Published(train, test)

    colour = replace(_MNIST, shape=(28, 28, 3), load=coloured)
    return variant("mnist~background:5", {"mnist": colour}).load()


MNIST_M = replace(
    _MNIST,
    key="mnist_m",
    title="MNIST-M",
    summary="MNIST's 70,000 digits blended with pieces of photographs, |photograph - digit|, colour. "
    "Made here from MNIST with scikit-image's photographs in place of BSDS500.",
    shape=(28, 28, 3),
    reference="[Ganin et al. 2016](https://arxiv.org/abs/1505.07818)",
    load=load,
    warning="Not the published file: figures on it compare with the literature's in kind only.",
)

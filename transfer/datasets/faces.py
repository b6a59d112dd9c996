"""Faces or not: tiny cut-outs of Labeled Faces in the Wild, comes with scikit-image."""

from __future__ import annotations

import numpy as np

from transfer.datasets import Dataset, Published, Samples

_EACH = 100


def _load() -> Published:
    from skimage.data import lfw_subset

    pictures = np.round(lfw_subset() * 255).astype(np.uint8)[..., np.newaxis]
    # The file has no labels: scikit-image documents 100 faces, then 100 pieces of background.
    labels = np.repeat(np.arange(2, dtype=np.int64), _EACH)
    return Published(Samples(pictures, labels))


FACES = Dataset(
    key="faces",
    title="Faces or not",
    summary=(
        "100 faces and 100 pieces of background from Labeled Faces in the Wild, 25x25 pixels; comes with scikit-image."
    ),
    classes=("face", "not a face"),
    shape=(25, 25, 1),
    count=2 * _EACH,
    licence="research use",
    reference="[Huang et al. 2012](http://vis-www.cs.umass.edu/lfw/)",
    load=_load,
    warning=(
        "Black edges give many pieces of background away, and with 50 test pictures each is 2 points of accuracy."
    ),
)

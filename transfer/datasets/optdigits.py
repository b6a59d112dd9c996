"""optdigits: small handwritten digits of other writers than MNIST's, comes with scikit-learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

from transfer.datasets import Dataset, Published, Samples

_BRIGHTEST = 16
_BOX, _MARGIN = 20, 4


def _as_mnist(counts: np.ndarray) -> np.ndarray:
    """One digit, 8x8 counts of 0 to 16, as a 28x28 picture of 0 to 255.

    MNIST fits a digit into a box of 20x20 and leaves 4 empty pixels around it. Stretching
    optdigits over all 28x28 instead costs 26 points of transferred accuracy: the strokes get the
    wrong width. Deviation from MNIST: the box is centred, not the digit's centre of mass, for the
    8x8 grid has already cropped the digit to its bounding box.
    """
    grey = np.round(counts * (255 / _BRIGHTEST)).astype(np.uint8)
    box = Image.fromarray(grey).resize((_BOX, _BOX), Image.Resampling.BICUBIC)
    return np.pad(np.asarray(box), _MARGIN)


def _load() -> Published:
    # The file that sklearn.datasets.load_digits reads; importing scikit-learn for it would take over a second.
    spec = importlib.util.find_spec("sklearn")
    assert spec is not None and spec.origin is not None, "scikit-learn is in requirements.txt"
    table = np.loadtxt(Path(spec.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    pictures = np.stack([_as_mnist(counts) for counts in table[:, :-1].reshape(-1, 8, 8)])[..., np.newaxis]
    return Published(Samples(pictures, table[:, -1].astype(np.int64)))


OPTDIGITS = Dataset(
    key="optdigits",
    title="optdigits",
    summary=(
        "1,797 digits by 13 writers, scanned at 8x8 pixels and enlarged as MNIST was made; comes with scikit-learn."
    ),
    classes=tuple("0123456789"),
    shape=(28, 28, 1),
    count=1797,
    licence="CC BY 4.0",
    reference="[Alpaydin & Kaynak 1998](https://archive.ics.uci.edu/dataset/80)",
    load=_load,
    test_fraction=0.35,
    warning="The same 13 writers are in training and test set; accuracy on a new writer would be lower.",
)

"""USPS: handwritten digits from envelopes, the target of the textbooks' MNIST to USPS."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.fetched import fetched
from transfer.fetching import Remote

_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
FILES = (
    Remote(f"{_LIBSVM}usps.bz2", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197", 6.6),
    Remote(f"{_LIBSVM}usps.t.bz2", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118", 1.8),
)


def load() -> Published:
    """Training and test part as published."""
    train, test = fetched("USPS", FILES)
    return Published(_read(train), _read(test))


def _read(path: Path) -> Samples:
    """Lines of a class from 1 and 256 pixels from -1 (paper) to 1 (ink)."""
    from sklearn.datasets import load_svmlight_file

    pixels, classes = load_svmlight_file(str(path), n_features=256)
    grey = (pixels.toarray().reshape(-1, 16, 16, 1) + 1) / 2 * 255
    return Samples(np.rint(grey).astype("uint8"), classes.astype("int64") - 1)


USPS = Dataset(
    key="usps",
    title="USPS",
    summary="9,298 handwritten digits from envelopes, 16x16 pixels that fill the picture, 2,007 for the test.",
    classes=tuple("0123456789"),
    shape=(16, 16, 1),
    count=9_298,
    licence="not stated",
    reference="[Hull 1994](https://doi.org/10.1109/34.291440)",
    load=load,
    download_mb=sum(one.megabytes for one in FILES),
    drawn_from=("USPS training part",),
    tested_from=("USPS test part",),
)

"""SVHN: house numbers from street views."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.fetched import fetched
from transfer.fetching import Remote

_STANFORD = "http://ufldl.stanford.edu/housenumbers/"
FILES = (
    Remote(f"{_STANFORD}train_32x32.mat", "svhn_train.mat", "e26dedcc434d2e4c54c9b2d4a06d8373", 182.0),
    Remote(f"{_STANFORD}test_32x32.mat", "svhn_test.mat", "eb5a983be6a315427106f1b164d9cef3", 64.3),
)


def load() -> Published:
    """Training and test part as published, without the extra one."""
    train, test = fetched("SVHN", FILES)
    return Published(_read(train), _read(test))


def _read(path: Path) -> Samples:
    """Pictures stand last in the file's array; the digit 0 is class 10 there."""
    from scipy.io import loadmat

    content = loadmat(path)
    return Samples(
        np.ascontiguousarray(content["X"].transpose(3, 0, 1, 2)), content["y"].reshape(-1).astype("int64") % 10
    )


SVHN = Dataset(
    key="svhn",
    title="SVHN",
    summary="99,289 digits of house numbers in street views, colour, 32x32 pixels, 26,032 for the test.",
    classes=tuple("0123456789"),
    shape=(32, 32, 3),
    count=99_289,
    licence="non-commercial use",
    reference="[Netzer et al. 2011](http://ufldl.stanford.edu/housenumbers/)",
    load=load,
    download_mb=sum(one.megabytes for one in FILES),
    drawn_from=("SVHN training part",),
    tested_from=("SVHN test part",),
)

"""MNIST, Fashion-MNIST, CIFAR-10 and CIFAR-100: fetched at their first use to where Keras looks, then offline.

Fetched by the lab, which tells how far it is, goes on where a download broke off and lets nothing torn be used;
read by Keras. Nobody gives a checksum for Fashion-MNIST, so a file that cannot be read is removed.
"""

from __future__ import annotations

import gzip
import os
import pickle
import shutil
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from transfer.datasets import Dataset, Published, Samples
from transfer.errors import DiskFull, DownloadFailed
from transfer.fetching import FULL, Remote, fetch

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TORONTO = "https://www.cs.toronto.edu/~kriz/"
_TORN = (
    EOFError, ValueError, KeyError, gzip.BadGzipFile,
    zlib.error, zipfile.BadZipFile, tarfile.TarError, pickle.UnpicklingError,
)  # fmt: skip


@dataclass(frozen=True)
class _Download:
    """Where a data set comes from and where Keras keeps it.

    Args:
        name: module of ``keras.datasets``.
        files: named as Keras looks for them in its ``datasets`` folder.
        extracted: folder an archive is unpacked to, empty when it is none.
    """

    name: str
    files: tuple[Remote, ...]
    extracted: str = ""

    @property
    def megabytes(self) -> float:
        """Size of the download."""
        return round(sum(file.megabytes for file in self.files), 1)

    def load(self) -> Published:
        """The published parts, downloaded when they are not here yet.

        Raises:
            DownloadFailed: the files could not be fetched, or what is there cannot be read.
            DiskFull: there is no room for them.
        """
        in_all = f", {self.megabytes:g} MB in all" if len(self.files) > 1 else ""
        for file in self.files:
            fetch(f"the data set {self.name}{in_all}", file, _folder())
        import keras  # seconds, with TensorFlow: only a process that loads data pays for it

        try:
            train, test = getattr(keras.datasets, self.name).load_data()
            return Published(_samples(*train), _samples(*test))
        except _TORN as problem:
            self._remove()
            raise self._failed(problem) from problem
        except OSError as problem:
            if problem.errno in FULL:
                raise self._no_room() from problem
            raise self._failed(problem) from problem

    def _failed(self, problem: Exception) -> DownloadFailed:
        by_hand = "; ".join(f"{file.origin} as {_folder() / file.name}" for file in self.files)
        return DownloadFailed(
            f"The data set {self.name} ({self.megabytes:g} MB) could not be read; its files were removed.",
            str(problem) or type(problem).__name__,
            f"Connect to the internet and try again, or download by hand and keep {by_hand}.",
        )

    def _no_room(self) -> DiskFull:
        if self.extracted:
            shutil.rmtree(_folder() / self.extracted, ignore_errors=True)
        return DiskFull(
            f"There is not enough disk space for the data set {self.name}.",
            f"{self.megabytes:g} MB for {_folder()}",
            "Free some space, or point KERAS_HOME at a larger disk.",
        )

    def _remove(self) -> None:
        for file in self.files:
            (_folder() / file.name).unlink(missing_ok=True)
        if self.extracted:
            shutil.rmtree(_folder() / self.extracted, ignore_errors=True)


def _folder() -> Path:
    """Where Keras keeps data sets: ``KERAS_HOME/datasets``, by default ``~/.keras/datasets``."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"


def _samples(pictures: np.ndarray, labels: np.ndarray) -> Samples:
    if pictures.ndim == 3:
        pictures = pictures[..., np.newaxis]
    return Samples(np.ascontiguousarray(pictures, dtype=np.uint8), labels.reshape(-1).astype(np.int64))


_MNIST = _Download(
    "mnist",
    (
        Remote(
            f"{_GOOGLE}mnist.npz",
            "mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            11.5,
        ),
    ),
)

_FASHION = _Download(
    "fashion_mnist",
    tuple(
        Remote(_GOOGLE + name, f"fashion-mnist/{name}", "", megabytes)
        for name, megabytes in (
            ("train-labels-idx1-ubyte.gz", 0.03),
            ("train-images-idx3-ubyte.gz", 26.42),
            ("t10k-labels-idx1-ubyte.gz", 0.005),
            ("t10k-images-idx3-ubyte.gz", 4.42),
        )
    ),
)

_CIFAR10 = _Download(
    "cifar10",
    (
        Remote(
            f"{_TORONTO}cifar-10-python.tar.gz",
            "cifar-10-batches-py-target_archive",
            "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
            170.5,
        ),
    ),
    extracted="cifar-10-batches-py-target",
)

_CIFAR100 = _Download(
    "cifar100",
    (
        Remote(
            f"{_TORONTO}cifar-100-python.tar.gz",
            "cifar-100-python-target_archive",
            "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
            169.0,
        ),
    ),
    extracted="cifar-100-python-target",
)

_FINE_CLASSES = """
    apple, aquarium fish, baby, bear, beaver, bed, bee, beetle, bicycle, bottle, bowl, boy, bridge, bus,
    butterfly, camel, can, castle, caterpillar, cattle, chair, chimpanzee, clock, cloud, cockroach,
    couch, crab, crocodile, cup, dinosaur, dolphin, elephant, flatfish, forest, fox, girl, hamster,
    house, kangaroo, keyboard, lamp, lawn mower, leopard, lion, lizard, lobster, man, maple tree,
    motorcycle, mountain, mouse, mushroom, oak tree, orange, orchid, otter, palm tree, pear, pickup
    truck, pine tree, plain, plate, poppy, porcupine, possum, rabbit, raccoon, ray, road, rocket, rose,
    sea, seal, shark, shrew, skunk, skyscraper, snail, snake, spider, squirrel, streetcar, sunflower,
    sweet pepper, table, tank, telephone, television, tiger, tractor, train, trout, tulip, turtle,
    wardrobe, whale, willow tree, wolf, woman, worm
"""

DATASETS = [
    Dataset(
        key="mnist",
        title="MNIST",
        summary="70,000 handwritten digits, 28x28 pixels, with a published test set of 10,000.",
        classes=tuple("0123456789"),
        shape=(28, 28, 1),
        count=70_000,
        licence="CC BY-SA 3.0",
        reference="[LeCun et al. 1998](https://doi.org/10.1109/5.726791)",
        load=_MNIST.load,
        download_mb=_MNIST.megabytes,
        drawn_from=("MNIST training part",),
        tested_from=("MNIST test part",),
        warning="Its training part contains MNIST-5k: what has learned it has seen that data set's test pictures.",
    ),
    Dataset(
        key="fashion_mnist",
        title="Fashion-MNIST",
        summary="70,000 pieces of clothing from a shop's catalogue, grey, 28x28 pixels, 10,000 for the test.",
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),  # fmt: skip
        shape=(28, 28, 1),
        count=70_000,
        licence="MIT",
        reference="[Xiao et al. 2017](https://arxiv.org/abs/1708.07747)",
        load=_FASHION.load,
        download_mb=_FASHION.megabytes,
        drawn_from=("Fashion-MNIST training part",),
        tested_from=("Fashion-MNIST test part",),
    ),
    Dataset(
        key="cifar10",
        title="CIFAR-10",
        summary="60,000 colour photographs of animals and vehicles, 32x32 pixels, 10,000 for the test.",
        classes=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),  # fmt: skip
        shape=(32, 32, 3),
        count=60_000,
        licence="not stated",
        reference="[Krizhevsky 2009](https://www.cs.toronto.edu/~kriz/cifar.html)",
        load=_CIFAR10.load,
        download_mb=_CIFAR10.megabytes,
        drawn_from=("CIFAR-10 training part",),
        tested_from=("CIFAR-10 test part",),
    ),
    Dataset(
        key="cifar100",
        title="CIFAR-100",
        summary="60,000 colour photographs of 100 kinds of things, 32x32 pixels, 10,000 for the test.",
        classes=tuple(" ".join(_FINE_CLASSES.split()).split(", ")),
        shape=(32, 32, 3),
        count=60_000,
        licence="not stated",
        reference="[Krizhevsky 2009](https://www.cs.toronto.edu/~kriz/cifar.html)",
        load=_CIFAR100.load,
        download_mb=_CIFAR100.megabytes,
        drawn_from=("CIFAR-100 training part",),
        tested_from=("CIFAR-100 test part",),
    ),
]

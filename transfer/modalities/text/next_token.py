"""What a network that reads from left to right expects next: the table that reads tokens writes them, too."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

TABLE = "embedding_words"


def trunk(stages: list[keras.Model]) -> tuple[keras.Model, Any]:
    """From tokens, shape (n, size), to a row for each, shape (n, size, d); and the table of tokens, shape (words, d).

    Args:
        stages: those of a causal backbone; the first has the layer `TABLE`, the last makes one vector of the rows.
    """
    entry = flowing = keras.Input(stages[0].input_shape[1:], dtype="int32")
    for stage in stages[:-1]:
        flowing = stage(flowing)
    return keras.Model(entry, flowing), stages[0].get_layer(TABLE).embeddings


def logits(rows: Any, table: Any) -> Any:
    """How much each token is expected after each of the rows, shape (n, size, words), float32.

    Args:
        rows: shape (n, size, d).
        table: a vector for each token, shape (words, d).

    Reference:
        Press & Wolf 2017, Using the output embedding to improve language models, section 3: one table for both.
    """
    return ops.matmul(ops.cast(rows, "float32"), ops.transpose(ops.cast(table, "float32")))


def surprise(rows: Any, table: Any, tokens: Any) -> Any:
    """Nats of each token after the first, shape (n, size - 1); 0 where a text has ended.

    Args:
        rows: of the network, shape (n, size, d).
        table: a vector for each token, shape (words, d).
        tokens: that the rows are of, int32, shape (n, size), 0 where a text has ended.
    """
    coming = tokens[:, 1:]
    expected = logits(rows[:, :-1], table)
    nats = keras.losses.sparse_categorical_crossentropy(coming, expected, from_logits=True)
    return nats * ops.cast(ops.not_equal(coming, 0), "float32")

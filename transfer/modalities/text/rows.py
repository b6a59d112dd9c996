"""What networks for texts are made of: a row for each token, zero where a text has ended.

All in Keras' own layers and operations, so that a saved network needs nothing of the lab to be loaded.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def real(rows: Any) -> Any:
    """1 where a token is, 0 where a text has ended; shape (n, tokens, 1), from rows of which those are all zero."""
    return ops.cast(ops.any(ops.not_equal(rows, 0), axis=-1, keepdims=True), rows.dtype)


def vectors(tokens: Any, embedding: keras.layers.Embedding) -> Any:
    """A vector for each token, shape (n, tokens, d); token 0, which fills up, has the vector zero whatever is learned.

    Args:
        tokens: int32, shape (n, tokens).
        embedding: the table of vectors.
    """
    found = embedding(tokens)
    return found * ops.expand_dims(ops.cast(ops.not_equal(tokens, 0), found.dtype), -1)


def mean(rows: Any) -> Any:
    """The mean over tokens, shape (n, d), of rows of shape (n, tokens, d); zero of a text without tokens."""
    return ops.sum(rows, axis=1) / ops.maximum(ops.sum(real(rows), axis=1), 1)

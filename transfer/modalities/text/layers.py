"""Keras layers that networks for texts are made of; saved networks find them by their registered names."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def real(rows: Any) -> Any:
    """1 where a token is, 0 where a text has ended; shape (n, tokens, 1), from rows of which those are all zero."""
    return ops.cast(ops.any(ops.not_equal(rows, 0), axis=-1, keepdims=True), rows.dtype)


@keras.saving.register_keras_serializable("transfer")
class MeanOfTokens(keras.layers.Layer):
    """The mean over tokens, shape (n, d), of rows of shape (n, tokens, d); rows of zeros do not count."""

    def call(self, rows: Any) -> Any:
        """The mean; zero of a text without tokens."""
        count = ops.maximum(ops.sum(real(rows), axis=1), 1)
        return ops.sum(rows, axis=1) / count


@keras.saving.register_keras_serializable("transfer")
class TokenVectors(keras.layers.Embedding):
    """A vector for each token; token 0, which fills up, has the vector zero whatever is learned."""

    def call(self, tokens: Any) -> Any:
        """Vectors, shape (n, tokens, d)."""
        vectors = super().call(tokens)
        return vectors * ops.cast(ops.not_equal(tokens, 0), vectors.dtype)[..., None]

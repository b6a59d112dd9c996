"""The parts of a BERT-like encoder, or of a GPT-like network that writes, in Keras' own layers and operations."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from transfer.backbones.attention import KEYS, SHUT, VALUES, WEIGHTS
from transfer.modalities.text import rows

EPSILON = 1e-12  # BERT's


def embedding(size: int, words: int, width: int, most: int, name: str) -> keras.Model:
    """From tokens, shape (n, size), to vectors of word and place, normalised; shape (n, size, width).

    Args:
        size: length in tokens.
        words: number of tokens there are.
        width: of the vectors.
        most: places the table of places has.
        name: of the stage.
    """
    tokens = keras.Input((size,), dtype="int32", name="tokens")
    places = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    signal = layers.Embedding(words, width, name=f"{name}_words")(tokens)
    signal = signal + layers.Embedding(most, width, name=f"{name}_places")(places)
    signal = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(signal)
    kept = ops.expand_dims(ops.cast(ops.not_equal(tokens, 0), signal.dtype), -1)
    return keras.Model(tokens, signal * kept, name=name)


def block(size: int, width: int, heads: int, inner: int, name: str, causal: bool = False) -> keras.Model:
    """Self-attention and two dense layers, each with a shortcut and a normalisation after it.

    Args:
        size: length in tokens.
        width: of the vectors.
        heads: of the attention.
        inner: width between the dense layers.
        name: of the stage.
        causal: whether a token sees only itself and those before it, as a network that writes must; else all.

    Reference:
        Vaswani et al. 2017, Attention is all you need, section 3.2; Devlin et al. 2019, BERT.
    """
    entry = keras.Input((size, width))
    kept = rows.real(entry)

    def split(signal: Any) -> Any:
        return ops.transpose(ops.reshape(signal, (-1, size, heads, width // heads)), (0, 2, 1, 3))

    query, key, value = (split(layers.Dense(width, name=f"{name}_{what}")(entry)) for what in ("query", "key", "value"))
    key, value = layers.Identity(name=f"{name}{KEYS}")(key), layers.Identity(name=f"{name}{VALUES}")(value)
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(width // heads)
    shut = (1.0 - ops.reshape(kept, (-1, 1, 1, size))) * -1e4  # as far as half precision reaches
    if causal:
        shut = shut + np.triu(np.full((size, size), -1e4, "float32"), 1)
    scores = scores + layers.Identity(name=f"{name}{SHUT}")(shut)
    mixed = ops.matmul(layers.Softmax(name=f"{name}{WEIGHTS}")(scores), value)
    mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, size, width))
    signal = entry + layers.Dense(width, name=f"{name}_attended")(mixed)
    signal = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_attended_norm")(signal)
    wide = layers.Dense(inner, name=f"{name}_wide")(signal)
    signal = signal + layers.Dense(width, name=f"{name}_narrow")(_gelu(wide))
    signal = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(signal)
    return keras.Model(entry, signal * kept, name=name)


def _gelu(signal: Any) -> Any:
    """Exact GELU, written out: the operation of that name cannot be exported to ONNX."""
    return 0.5 * signal * (1.0 + ops.erf(signal / math.sqrt(2.0)))

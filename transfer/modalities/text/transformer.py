"""The parts of a transformer, in Keras' own layers and operations: BERT's encoder, GPT's decoder and their kin."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from transfer.backbones.attention import KEYS, SHUT, VALUES, WEIGHTS
from transfer.modalities.text import rows

EPSILON = 1e-12  # BERT's
ACTIVATIONS = ("gelu", "gelu_approximate", "relu")
CLOSED = -1e4  # as far as half precision reaches


def embedding(
    size: int,
    words: int,
    width: int,
    most: int,
    name: str,
    *,
    epsilon: float | None = EPSILON,
    first: int = 0,
    projected: int = 0,
) -> keras.Model:
    """From tokens, shape (n, size), to vectors of word and place, shape (n, size, width or projected).

    Args:
        size: length in tokens.
        words: number of tokens there are.
        width: of the vectors.
        most: places the table of places has.
        name: of the stage.
        epsilon: of the normalisation of the vectors; None: they are not normalised.
        first: the token that is word 0 of the table; lower ones fill up.
        projected: width to which a dense layer brings the vectors; 0: there is none.
    """
    tokens = keras.Input((size,), dtype="int32", name="tokens")
    places = ops.cumsum(ops.ones_like(tokens), axis=1) - 1
    found = ops.maximum(tokens - first, 0) if first else tokens
    signal = layers.Embedding(words, width, name=f"{name}_words")(found)
    signal = signal + layers.Embedding(most, width, name=f"{name}_places")(places)
    if epsilon is not None:
        signal = layers.LayerNormalization(epsilon=epsilon, name=f"{name}_norm")(signal)
    if projected:
        signal = layers.Dense(projected, name=f"{name}_projected")(signal)
    kept = ops.expand_dims(ops.cast(ops.not_equal(tokens, 0), signal.dtype), -1)
    return keras.Model(tokens, signal * kept, name=name)


def block(
    size: int,
    width: int,
    heads: int,
    inner: int,
    name: str,
    *,
    epsilon: float = EPSILON,
    activation: str = "gelu",
    before: bool = False,
    causal: bool = False,
) -> keras.Model:
    """Self-attention and two dense layers, each with a shortcut and a normalisation after or before it.

    Args:
        size: length in tokens.
        width: of the vectors.
        heads: of the attention.
        inner: width between the dense layers.
        name: of the stage.
        epsilon: of the normalisations.
        activation: between the dense layers, one of `ACTIVATIONS`.
        before: whether each normalisation comes before its layers (GPT-2) instead of after them (BERT).
        causal: whether a token sees only itself and those before it.

    Reference:
        Vaswani et al. 2017, Attention is all you need, section 3.2; Devlin et al. 2019, BERT; Radford et al. 2019,
        GPT-2, section 2.3, for ``before``.
    """
    entry = keras.Input((size, width))
    kept = rows.real(entry)

    def norm(signal: Any, what: str) -> Any:
        return layers.LayerNormalization(epsilon=epsilon, name=f"{name}_{what}")(signal)

    def split(signal: Any) -> Any:
        return ops.transpose(ops.reshape(signal, (-1, size, heads, width // heads)), (0, 2, 1, 3))

    seen = norm(entry, "attended_norm") if before else entry
    query, key, value = (split(layers.Dense(width, name=f"{name}_{what}")(seen)) for what in ("query", "key", "value"))
    key, value = layers.Identity(name=f"{name}{KEYS}")(key), layers.Identity(name=f"{name}{VALUES}")(value)
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(width // heads)
    shut = (1.0 - ops.reshape(kept, (-1, 1, 1, size))) * CLOSED
    if causal:
        shut = shut + ops.cast(np.triu(np.full((size, size), CLOSED, "float32"), 1), shut.dtype)
    scores = scores + layers.Identity(name=f"{name}{SHUT}")(shut)
    mixed = ops.matmul(layers.Softmax(name=f"{name}{WEIGHTS}")(scores), value)
    mixed = ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, size, width))
    signal = entry + layers.Dense(width, name=f"{name}_attended")(mixed)
    if not before:
        signal = norm(signal, "attended_norm")
    wide = layers.Dense(inner, name=f"{name}_wide")(norm(signal, "norm") if before else signal)
    signal = signal + layers.Dense(width, name=f"{name}_narrow")(_active(wide, activation))
    if not before:
        signal = norm(signal, "norm")
    return keras.Model(entry, signal * kept, name=name)


def mean(size: int, width: int, name: str, epsilon: float | None = None) -> keras.Model:
    """The mean over tokens, after a last normalisation unless ``epsilon`` is None; from (n, size, width) to (n, width).

    Args:
        size: length in tokens.
        width: of the vectors.
        name: of the stage.
        epsilon: of the normalisation.
    """
    entry = keras.Input((size, width))
    signal: Any = entry
    if epsilon is not None:
        signal = layers.LayerNormalization(epsilon=epsilon, name=f"{name}_norm")(entry) * rows.real(entry)
    return keras.Model(entry, rows.mean(signal), name=name)


def _active(signal: Any, activation: str) -> Any:
    """GELU, exact or approximate, written out: the operation of that name cannot be exported to ONNX; or ReLU."""
    if activation == "relu":
        return ops.relu(signal)
    if activation == "gelu":
        return 0.5 * signal * (1.0 + ops.erf(signal / math.sqrt(2.0)))
    inside = math.sqrt(2.0 / math.pi) * (signal + 0.044715 * signal * signal * signal)
    return 0.5 * signal * (1.0 + ops.tanh(inside))

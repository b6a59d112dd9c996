"""Which words carried an answer, from inside the network: gradient x input, and attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from transfer.backbones.attention import WEIGHTS
from transfer.engine.inspect.inside import Inside
from transfer.engine.inspect.occlusion import MOST_WORDS, PREDICTED, WORD, Evidence
from transfer.engine.inspect.spans import spans
from transfer.errors import RequestError


def gradient(inside: Inside, text: str, target: int = PREDICTED) -> Evidence:
    """How much each word adds to the class's logit, to first order; the sum over its tokens, below 0 against the class.

    One pass instead of one for each word. It misleads where the network has saturated, since the slope there is near 0
    though the word carries the answer, and where the answer needs several words together.

    Args:
        inside: a network that reads texts, whose first stage gives a vector for each token.
        text: any; without words it is only answered.
        target: class whose logit is followed; by default the predicted one.

    Raises:
        RequestError: the first stage gives no vector for each token.

    Reference:
        Shrikumar et al. 2016, Not just a black box, gradient x input; on word vectors Denil, Demiraj & de Freitas 2014,
        Extraction of salient sentences. Sanity checks as in Adebayo et al. 2018, section 3.
    """
    network = inside.found.network
    if len(network.stages[0].output_shape) != 3:
        raise RequestError(
            "The first stage gives no vector for each token, so no gradient can be told apart by words.",
            f"backbone {network.backbone.key}",
            "Leave the words out in turn instead.",
        )
    if "gradient" not in inside.traced:
        inside.traced["gradient"] = _slopes(inside)
    added, logits, features = inside.traced["gradient"](network.read([text]), target)
    words, values = _by_word(inside, text, added)
    return Evidence(words, values, logits, features)


def _slopes(inside: Inside) -> Callable[[np.ndarray, int], tuple[np.ndarray, ...]]:
    network = inside.found.network

    @tf.function
    def traced(tokens: Any, target: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            rows = network.stages[0](network.entrance(tokens, training=False), training=False)
            tape.watch(rows)
            flowing = rows
            for stage in network.stages[1:]:
                flowing = stage(flowing, training=False)
            features = ops.cast(flowing, "float32")
            logits = inside.found.head(features, training=False)
            score = logits[0, tf.where(target < 0, tf.argmax(logits[0]), target)]
        added = tf.reduce_sum(tf.cast(tape.gradient(score, rows) * rows, "float32"), axis=-1)
        return added[0], logits[0], features[0]

    def slopes(tokens: np.ndarray, target: int) -> tuple[np.ndarray, ...]:
        return tuple(np.asarray(one) for one in traced(tf.constant(tokens), tf.constant(target, "int64")))

    return slopes


def attention(inside: Inside, text: str, target: int = PREDICTED) -> Evidence:
    """The share of attention each word gets in the last block: the mean over its heads and over all tokens that look.

    It tells where vectors are mixed from, for whatever class. Attention is not explanation: other weights often give
    the same answer, and what a token holds in the last block comes from its neighbours as well. Shares of marks,
    learned prompts and prefixes are left out, so they add up to less than 1.

    Args:
        inside: a network that reads texts, with attention.
        text: any; without words it is only answered.
        target: not used, attention has no class.

    Raises:
        RequestError: the network has no attention.

    Reference:
        Vaswani et al. 2017, section 3.2; Jain & Wallace 2019, Attention is not explanation. Mean over tokens, since the
        networks here take the mean of them, not the first.
    """
    if "attention" not in inside.traced:
        inside.traced["attention"] = _looks(inside)
    tokens = inside.found.network.read([text])
    got = inside.traced["attention"](tokens)
    features, logits = inside.features(np.array([text], dtype=object))
    words, values = _by_word(inside, text, got)
    return Evidence(words, values, logits[0], features[0])


def _looks(inside: Inside) -> Callable[[np.ndarray], np.ndarray]:
    network = inside.found.network
    named = [(stage, layer) for stage in network.stages for layer in stage.layers if layer.name.endswith(WEIGHTS)]
    if not named:
        raise RequestError(
            "This network has no attention between tokens to look at.",
            f"backbone {network.backbone.key}",
            "Leave the words out in turn instead, or follow the gradient.",
        )
    last, layer = named[-1]
    below = network.stages[: network.stages.index(last)]
    weights = keras.Model(last.input, layer.output)

    def looks(tokens: np.ndarray) -> np.ndarray:
        rows = network.entrance(tokens, training=False)
        for stage in below:
            rows = stage(rows, training=False)
        rows = np.asarray(rows, "float32")
        looking = rows[0].any(axis=-1)
        by_token = np.asarray(weights(rows, training=False), "float32")[0].mean(axis=0)
        # Learned keys stand before those of the text.
        got: np.ndarray = by_token[looking].mean(axis=0)[-rows.shape[1] :]
        return got

    return looks


def _by_word(inside: Inside, text: str, values: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The words, and the sum of the values over each one's tokens; what stands before the text is no word's."""
    network, found = inside.found.network, list(WORD.finditer(text))[:MOST_WORDS]
    single = np.zeros((1, network.size), "int32")
    single[0, 0] = network.read([text])[0, 0]
    rows = np.asarray(network.stages[0](network.entrance(single, training=False), training=False))
    ahead = max(int(rows[0].any(axis=-1).sum()) - 1, 0)  # learned prompts
    of = spans(text, [one.end() for one in found], network.read)
    sums = [float(values[ahead + one.start : ahead + one.stop].sum()) for one in of]
    return [one.group() for one in found], np.array(sums, "float32")

"""Texts: turned into tokens by the backbone's own tokenizer, cut or filled up to one length.

Token 0 fills up. A stage whose output still has a row for each token keeps the rows of filled-up tokens at zero, so
that the next one can tell them without being told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from transfer.modalities.text import synonyms
from transfer.modalities.text.language import following, masked
from transfer.modalities.text.rows import mean
from transfer.modalities.text.writing import Writer

if TYPE_CHECKING:
    from transfer.backbones import Backbone
    from transfer.datasets import Samples

DROPPED = {"weak": 0.1, "strong": 0.3}
SWAPPED = 0.2
REPLACED = 0.3  # of the words that have a neighbour, about a tenth of all
MOST_COUNTED = 20_000


def read(inputs: Any, backbone: Backbone, size: int) -> np.ndarray:
    """Texts as tokens, int32, shape (n, size); tokens are returned as they are."""
    if isinstance(inputs, np.ndarray) and inputs.dtype.kind == "i":
        return inputs
    assert backbone.tokens is not None, "a backbone that reads texts has a tokenizer"
    return backbone.tokens(list(inputs), size)


def blank(count: int, shape: tuple[int, ...], size: int) -> np.ndarray:
    """Texts of one token, repeated."""
    return np.ones((count, size), "int32")


def entrance(shape: tuple[int, ...], size: int, channels: int) -> keras.Model:
    """Tokens as they are."""
    tokens = keras.Input((size,), dtype="int32", name="tokens")
    return keras.Model(tokens, ops.cast(tokens, "int32"), name="entrance")


def pooled(stage: keras.Model) -> keras.Model:
    """The stage with the mean over its tokens; filled-up ones do not count."""
    return keras.Model(stage.input, mean(stage.output), name=stage.name)


def baseline(known: Samples, asked: Samples) -> tuple[str, float] | None:
    """A bag of words: logistic regression on how often each word occurs, which knows nothing of their order or sense.

    A network that stays below it has learned less than counting words gives. None without two labelled classes, and
    for more than `MOST_COUNTED` texts, where it would keep the run waiting.

    Args:
        known: labelled texts.
        asked: texts to be named.

    Reference:
        Wang & Manning 2012, Baselines and Bigrams; here single words, tf-idf with logarithmic counts, C = 10.
    """
    if len(known) > MOST_COUNTED or len(set(known.labels.tolist())) < 2:
        return None
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    counting = TfidfVectorizer(sublinear_tf=True)
    try:
        counted = counting.fit_transform(list(known.inputs))
    except ValueError:  # no text has a word
        return None
    chosen = LogisticRegression(C=10, max_iter=500).fit(counted, known.labels)
    said = chosen.predict(counting.transform(list(asked.inputs)))
    return "bag of words", float((said == asked.labels).mean())


def writer(backbone: Backbone, stages: list[keras.Model]) -> Writer:
    """The network as one that goes on writing."""
    return Writer(backbone, stages)


def augment(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Each text without about a tenth of its tokens.

    Args:
        samples: tokens, shape (n, size), int32.
        random: consumed; equal generators give equal texts.
    """
    return _without(samples, random, DROPPED["weak"])


def view(name: str, samples: np.ndarray, random: np.random.Generator, backbone: Backbone | None = None) -> np.ndarray:
    """The texts ``plain``, as they are; ``weak``, as `augment` varies them; or ``strong``.

    In a strong view about a tenth of the words give way to words that are used alike, three tenths of the tokens are
    left out, and a fifth of the others change places with their neighbour.

    Words used alike are near each other among the shipped GloVe vectors: what is shipped of WordNet has definitions and
    no synonyms. On definitions of `wordnet_topics`, 8 % of the tokens replaced, the nearest class mean said the same of
    94 % of the texts, and of 82 % with words drawn at random in the same places. It misleads where opposites matter, as
    in ratings: cold may stand for hot, expensive for cheap. Where a network reads letters, no word is replaced.

    Args:
        name: which view.
        samples: tokens, shape (n, size), int32.
        random: consumed; equal generators give equal texts.
        backbone: whose tokens they are; None: no word is replaced.

    Reference:
        Wei & Zou 2019, EDA, section 2: synonym replacement, random deletion and random swap; neighbours instead of
        synonyms as in Wang & Yang 2015. In place of Xie et al. 2020 (UDA), whose translation there and back needs a
        second network.
    """
    if name == "plain":
        return samples
    if name == "weak":
        return augment(samples, random)
    if backbone is not None and backbone.tokens is not None:
        chosen = (samples != 0) & (random.random(samples.shape) < REPLACED)
        samples = synonyms.replaced(samples, chosen, random, synonyms.table(backbone.tokens))
    return _swapped(_without(samples, random, DROPPED["strong"]), random)


def language(samples: np.ndarray, random: np.random.Generator, backbone: Backbone) -> tuple[np.ndarray, np.ndarray]:
    """Texts as the backbone's language model is fed, shape (n, size), and what it is asked there, shape (n, k, 2).

    The second holds places and their tokens; both are int32.

    Args:
        samples: tokens, shape (n, size), int32.
        random: consumed; equal generators give equal questions.
        backbone: one with a language model.
    """
    if backbone.language == "causal":
        return following(samples)
    return masked(samples, random, backbone.mask, backbone.words)


def _inner(samples: np.ndarray) -> np.ndarray:
    """Which tokens may be moved: none that fills up, nor the first and last, which may be a network's own marks."""
    real = samples != 0
    last = real.sum(axis=1, keepdims=True) - 1
    place = np.arange(samples.shape[1])[None]
    return real & (place > 0) & (place < last)


def _without(samples: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    gone = _inner(samples) & (random.random(samples.shape) < share)
    # What is left moves up; a stable sort keeps its order.
    order = np.argsort(gone | (samples == 0), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(np.where(gone, 0, samples), order, axis=1))


def _swapped(samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
    inner = _inner(samples)
    chosen = inner[:, :-1] & inner[:, 1:] & (random.random((len(samples), samples.shape[1] - 1)) < SWAPPED)
    chosen[:, 1:] &= ~chosen[:, :-1]  # of overlapping pairs the first
    order = np.broadcast_to(np.arange(samples.shape[1]), samples.shape).copy()
    order[:, :-1] += chosen
    order[:, 1:] -= chosen
    return np.asarray(np.take_along_axis(samples, order, axis=1))

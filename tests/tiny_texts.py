"""A world of texts small enough to train in a blink: two sets of made-up sentences, and two networks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from transfer import catalog
from transfer.backbones import Backbone
from transfer.datasets import Dataset, Published, Samples
from transfer.texts.kept import Texts

if TYPE_CHECKING:
    import keras

SOURCE, TARGET, NETWORK, TRANSFORMER = "tiny_reviews", "tiny_notes", "tiny_words", "tiny_transformer"
# The same network with rows as wide as its vectors, so that it can guess words.
GUESSER, MASK = "tiny_guesser", 1
STAGES = ("words", "mixed", "dense")
CLASSES = ("bad", "fine", "good")
WORDS, TOKENS, WIDTH = 400, 16, 12
# What tells the classes apart, and what stands around it in either domain.
TELLING = {"bad": "awful poor broken dull", "fine": "usual plain fair middling", "good": "superb lovely bright best"}
AROUND = {
    SOURCE: "the film had a plot and an actor who ran about in it for two hours",
    TARGET: "my kettle came with one lid , a cable and no manual ; it boils water",
}


def _load(key: str, each: int) -> Published:
    random = np.random.default_rng(len(AROUND[key]))
    around, texts, labels = AROUND[key].split(), [], []
    for place in range(each * len(CLASSES)):
        label = place % len(CLASSES)
        words = list(random.choice(around, random.integers(4, 12)))
        for word in random.choice(TELLING[CLASSES[label]].split(), 2, replace=False):
            words.insert(int(random.integers(len(words) + 1)), word)
        texts.append(f"{place}: {' '.join(words)}")
        labels.append(label)
    return Published(Samples(Texts.of(texts), np.array(labels, "int64")))


def tokens(texts: Sequence[str], size: int) -> np.ndarray:
    """Words by a hash, 1 and up."""
    found = np.zeros((len(texts), size), "int32")
    for row, text in zip(found, texts, strict=True):
        words = [1 + zlib.crc32(word.encode()) % (WORDS - 1) for word in text.lower().split()[:size]] or [1]
        row[: len(words)] = words
    return found


def above_mask(texts: Sequence[str], size: int) -> np.ndarray:
    """The same, one higher: 1 hides a word."""
    found = tokens(texts, size)
    return found + (found > 0)


def build(size: int, wide: int = 16, many: int = WORDS) -> list[keras.Model]:
    """Vectors, a dense layer on each, and a dense layer on their mean."""
    import keras
    from keras import layers

    from transfer.modalities.text.rows import mean, real, vectors

    entry = keras.Input((size,), dtype="int32")
    words = keras.Model(entry, vectors(entry, layers.Embedding(many, WIDTH, name="words_vectors")), name="words")
    entry = keras.Input((size, WIDTH))
    signal = layers.Dense(wide, activation="relu", name="mixed_dense")(
        layers.LayerNormalization(name="mixed_norm")(entry)
    )
    mixed = keras.Model(entry, signal * real(entry), name="mixed")
    entry = keras.Input((size, wide))
    signal = layers.BatchNormalization(momentum=0.9, name="dense_norm")(mean(entry))
    return [
        words,
        mixed,
        keras.Model(entry, layers.Dense(16, activation="relu", name="dense_dense")(signal), name="dense"),
    ]


def build_transformer(size: int) -> list[keras.Model]:
    """Vectors, two blocks with attention, and the mean."""
    import keras

    from transfer.modalities.text import rows, transformer

    stages = [transformer.embedding(size, WORDS, 12, 64, "embedding")]
    stages += [transformer.block(size, 12, 2, 24, name) for name in ("block1", "block2")]
    entry = keras.Input((size, 12))
    return [*stages, keras.Model(entry, rows.mean(entry), name="mean")]


def _dataset(key: str, each: int) -> Dataset:
    made = catalog.dataset("optdigits")
    about = {
        "key": key,
        "title": key,
        "classes": CLASSES,
        "shape": (),
        "count": each * len(CLASSES),
        "modality": "text",
    }
    return replace(made, **about, load=partial(_load, key, each), test_fraction=0.3, kept=True)


def add(patch: pytest.MonkeyPatch) -> None:
    """Puts the two sets and the networks into the catalog."""
    patch.setitem(catalog.datasets(), SOURCE, _dataset(SOURCE, 40))
    patch.setitem(catalog.datasets(), TARGET, _dataset(TARGET, 40))
    parts = frozenset({"batch norm", "normalisation", "biases", "kernels"})
    network = Backbone(
        key=NETWORK, title="Tiny words", summary="Made for tests.", parameters=WORDS * 12 + 24 + 208 + 64 + 272,
        stages=STAGES, size=TOKENS, smallest=4, channels=0, licence="Apache-2.0", reference="none", build=build,
        modality="text", preprocessing="words by a hash", parts=parts, tokens=tokens,
    )  # fmt: skip
    patch.setitem(catalog.backbones(), NETWORK, network)
    attends = replace(
        network,
        key=TRANSFORMER,
        title="Tiny transformer",
        parameters=(WORDS + 64) * 12 + 24 + 2 * (4 * 13 * 12 + 13 * 24 + 25 * 12 + 48),
        stages=("embedding", "block1", "block2", "mean"),
        build=build_transformer,
        parts=frozenset({"normalisation", "biases", "kernels", "attention"}),
    )
    patch.setitem(catalog.backbones(), TRANSFORMER, attends)
    about = {"key": GUESSER, "title": "Tiny guesser", "build": partial(build, wide=WIDTH, many=WORDS + 1)}
    about |= {
        "parameters": (WORDS + 1) * 12 + 24 + 156 + 48 + 208,
        "language": "masked",
        "mask": MASK,
        "words": WORDS + 1,
        "tokens": above_mask,
    }
    patch.setitem(catalog.backbones(), GUESSER, replace(network, **about))

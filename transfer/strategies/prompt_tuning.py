"""Prompt tuning: a few learned vectors stand before every text; the network itself stays as it is."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy, refuse

if TYPE_CHECKING:
    import keras

FREQUENT = 5000  # of the vocabulary, as in the paper


def is_prompt(layer: str, path: str) -> bool:
    """The table of prompts."""
    return "prompt_vectors" in path


def fresh_name(stage: keras.Model, name: str) -> str:
    """The name, with a number when the stage has it already: a network may be tuned more than once."""
    taken = {layer.name for layer in stage.layers}
    several = (name if not number else f"{name}_{number + 1}" for number in range(len(taken) + 1))
    return next(one for one in several if one not in taken)


def in_front(shape: Sequence[int | None], count: int, name: str, begin: str | Any) -> keras.Model:
    """A small model that puts learned vectors, the same for every sample, in front of the second last axis.

    Of Keras' own layers, so that a saved network needs nothing of the lab; a model of its own, because the names of
    its operations may be taken in a network that was loaded.

    Args:
        shape: of what it is given, without the samples: (tokens, d), or (heads, tokens, d) with heads x d numbers each.
        count: number of vectors.
        name: of the model, and of the layer in it that holds the vectors.
        begin: initialiser.
    """
    import keras
    from keras import layers, ops

    deep = int(shape[-1] or 0)
    heads = int(shape[0] or 0) if len(shape) > 2 else 1
    entry = one = keras.Input((*shape[:-2], None, deep))
    while len(one.shape) > 1:
        one = one[:, 0]  # only how many samples there are is asked
    places = ops.cumsum(ops.repeat(ops.cast(ops.ones_like(one[:, None]), "int32"), count, axis=1), axis=1) - 1
    found = layers.Embedding(count, heads * deep, embeddings_initializer=begin, name=name)(places)
    if len(shape) > 2:
        found = ops.transpose(ops.reshape(found, (-1, count, heads, deep)), (0, 2, 1, 3))
    return keras.Model(entry, ops.concatenate([found, entry], axis=-2), name=name)


def frequent_words(count: int) -> list[str]:
    """So many words drawn from the `FREQUENT` most frequent ones."""
    from transfer.backbones import glove

    return random.sample([word for word in glove.words()[:FREQUENT] if word.isalpha()], count)


class PromptTuning(Strategy):
    """Puts k learned vectors before the embedded tokens and trains these and the head; the network stays frozen.

    It shows how far a network can be steered through its input alone. It misleads on small networks, where the paper
    finds it far behind fine-tuning; every step costs nearly as much as one of fine-tuning, because gradients pass
    through the whole network. The prompts take k of the tokens that the network reads: of a long text the last k are
    cut off.

    Reference:
        Lester, Al-Rfou & Constant 2021, The power of scale for parameter-efficient prompt tuning, section 2;
        initialised by class names, then by frequent words (section 3.2). Deviations: prompts follow the first stage,
        after its places and normalisation, and count in the mean over tokens; a head is trained instead of words
        being generated; Adam instead of Adafactor.
    """

    key = "prompt_tuning"
    title = "Prompt tuning"
    sentence = "A few learned vectors stand before every text; only they and the output layer are trained."
    formula = (
        r"\min_{P,\,h}\; \mathcal{L}_{target}\bigl(h \circ f_{W_0}([P;\, E(x)])\bigr),\quad "
        r"P \in \mathbb{R}^{k \times d}"
    )
    frozen = "all of the source's weights"
    reference = "[Lester et al. 2021](https://arxiv.org/abs/2104.08691)"
    family = "Few trainable weights"
    works_on = "attention"
    adds = "learned vectors before the text"

    class Options(Strategy.Options):
        """Prompt tuning."""

        prompts: int = Field(
            10,
            ge=1,
            le=100,
            description="Number of learned vectors; at most half of the tokens that the network reads.",
            json_schema_extra={"unit": "vectors"},
        )
        begin: Literal["names", "words", "random"] = Field(
            "names",
            description="What they begin as: the vectors of the class names and then of frequent words, of frequent "
            "words alone, or at random.",
        )
        prompt_rate: float = Field(
            10.0,
            gt=0,
            le=1000,
            description="Learning rate of the prompts relative to the output layer's.",
            json_schema_extra={"unit": "x"},
        )

    options: PromptTuning.Options

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """The first stage with prompts in front of what it gives; the text moves up."""
        import keras
        from keras import layers

        name, stage = next(iter(stages.items()))
        size, width = stage.output.shape[1:]
        count = self.options.prompts
        if count > size // 2:
            raise refuse(
                f"{count} prompts leave too little room for the text.",
                f"prompts {count} with {size} tokens",
                f"Set prompts to {size // 2} or fewer, or tokens to {2 * count} or more.",
            )
        begin = keras.initializers.RandomUniform(-0.5, 0.5)  # as in the paper
        longer = in_front((size, width), count, fresh_name(stage, "prompt_vectors"), begin)(stage.output)
        return {
            **stages,
            name: keras.Model(
                stage.input, layers.Cropping1D((0, count), name=fresh_name(stage, "prompt_room"))(longer), name=name
            ),
        }

    def rebuild_for(
        self, stages: dict[str, keras.Model], names: tuple[str, ...], read: Callable[[Sequence[str]], np.ndarray]
    ) -> dict[str, keras.Model]:
        """The same with prompts that begin as words."""
        below = next(iter(stages.values()))
        built = self.rebuild(stages)
        if self.options.begin == "random":
            return built
        count = self.options.prompts
        named = [one.replace("_", " ") for one in names] if self.options.begin == "names" else []
        words = [*named, *frequent_words(count)][:count]
        added = [layer for layer in next(iter(built.values())).layers if layer.name.startswith("prompt_vectors")]
        added[-1].set_weights([embedded(below, words, read)])
        return built

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase: prompts and head."""
        rates = {setting.stages[0]: self.options.prompt_rate}
        return [Phase("train the prompts", setting.epochs, setting.learning_rate or 1e-3, rates, moves=is_prompt)]


def embedded(stage: keras.Model, words: Sequence[str], read: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
    """A vector for each word, the mean over its tokens without the tokenizer's own marks; shape (n, width).

    Args:
        stage: from tokens to vectors.
        words: one or more words each.
        read: from texts to tokens.
    """
    tokens = read(words)
    vectors = np.asarray(stage.predict_on_batch(tokens), "float32")
    marks = np.setdiff1d(read([""]), [0, 1])  # 1: unknown, as a text without a word is read by some
    kept = (tokens != 0) & ~np.isin(tokens, marks)
    kept = np.where(kept.any(axis=1, keepdims=True), kept, tokens != 0)[..., None]
    found: np.ndarray = (vectors * kept).sum(axis=1) / kept.sum(axis=1)
    return found

"""Prefix tuning: learned keys and values in every block, which each token can attend to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from transfer.backbones.attention import KEYS, SHUT, VALUES
from transfer.strategies import Phase, Setting, Strategy
from transfer.strategies.prompt_tuning import frequent_words, fresh_name, in_front

if TYPE_CHECKING:
    import keras


def is_prefix(layer: str, path: str) -> bool:
    """The tables of keys and values that are added."""
    return "prefix_keys" in path or "prefix_values" in path


def marked(stage: keras.Model, end: str) -> Any:
    """The layer of the stage whose name ends so, or None."""
    return next((layer for layer in stage.layers if layer.name.endswith(end)), None)


class PrefixTuning(Strategy):
    """Gives every block learned keys and values beside those of the text, and trains these and the head.

    Unlike prompt tuning it reaches every block directly, and it takes no place of the text. It misleads in its count of
    weights: 2 x length x width for each block, soon more than LoRA's, and on few labels they overfit.

    Reference:
        Li & Liang 2021, Prefix-tuning, section 4.2, begun with the activations of real words (section 7.4); Liu et al.
        2022, P-tuning v2, section 3, which classifies with a head. Deviation: no network computes the prefix while it
        is trained; P-tuning v2 finds that this helps on some data and harms on other.
    """

    key = "prefix_tuning"
    title = "Prefix tuning"
    sentence = "Every block gets learned keys and values to attend to; only they and the output layer are trained."
    formula = (
        r"\mathrm{softmax}\!\left(\tfrac{q\,[P_K;\,K]^\top}{\sqrt d}\right)[P_V;\,V],\quad P_K, P_V \text{ learned}"
    )
    frozen = "all of the source's weights"
    reference = (
        "[Li & Liang 2021](https://arxiv.org/abs/2101.00190), [Liu et al. 2022](https://arxiv.org/abs/2110.07602)"
    )
    family = "Few trainable weights"
    works_on = "attention"
    adds = "keys and values"

    class Options(Strategy.Options):
        """Prefix tuning."""

        length: int = Field(
            10,
            ge=1,
            le=200,
            description="Number of learned keys, and of values, in each block.",
            json_schema_extra={"unit": "pairs"},
        )
        begin: Literal["words", "random"] = Field(
            "words",
            description="What they begin as: what the block computes of the class names and of frequent words, or at "
            "random.",
        )
        prefix_rate: float = Field(
            10.0,
            gt=0,
            le=1000,
            description="Learning rate of keys and values relative to the output layer's.",
            json_schema_extra={"unit": "x"},
        )

    options: PrefixTuning.Options

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """Every block with keys and values in front of its own; other stages as they are."""
        return {name: self._extended(stage) if marked(stage, KEYS) else stage for name, stage in stages.items()}

    def _extended(self, stage: keras.Model) -> keras.Model:
        import keras

        count = self.options.length

        def call(layer: Any, signal: Any, *others: Any, **named: Any) -> Any:
            found = layer(signal, *others, **named)
            if layer.name.endswith(SHUT):
                return _opened(found.shape[1:], count, fresh_name(stage, "prefix_open"))(found)
            for end, name in ((KEYS, "prefix_keys"), (VALUES, "prefix_values")):
                if layer.name.endswith(end):
                    return in_front(found.shape[1:], count, fresh_name(stage, name), "uniform")(found)
            return found

        made = keras.models.clone_model(stage, call_function=call)
        for old in stage.layers:
            if old.weights:
                made.get_layer(old.name).set_weights(old.get_weights())
        return made

    def rebuild_for(
        self, stages: dict[str, keras.Model], names: tuple[str, ...], read: Callable[[Sequence[str]], np.ndarray]
    ) -> dict[str, keras.Model]:
        """The same with keys and values that begin as those of words."""
        built = self.rebuild(stages)
        if self.options.begin == "words":
            self._begin(stages, built, names, read)
        return built

    def _begin(
        self,
        stages: dict[str, keras.Model],
        built: dict[str, keras.Model],
        names: tuple[str, ...],
        read: Callable[[Sequence[str]], np.ndarray],
    ) -> None:
        """Reads words until there are as many tokens as keys, and takes each block's keys and values of them."""
        import keras

        count = self.options.length
        named = [one.replace("_", " ") for one in names]
        flowing = read([" ".join(words) for words in _portions([*named, *frequent_words(count)])])
        kept = flowing != 0
        for name, stage in stages.items():
            if (keys := marked(stage, KEYS)) is not None:
                looked = keras.Model(stage.input, [keys.output, marked(stage, VALUES).output, stage.output])
                *both, flowing = looked.predict_on_batch(flowing)
                for end, found in zip(("prefix_keys", "prefix_values"), both, strict=True):
                    rows = np.transpose(found, (0, 2, 1, 3)).reshape(*kept.shape, -1)[kept]
                    added = [one for one in built[name].layers if one.name.startswith(end)]
                    added[-1].set_weights([np.resize(rows, (count, rows.shape[1])).astype("float32")])
            else:
                flowing = stage.predict_on_batch(flowing)

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase: keys, values and head; the first stage has no attention."""
        rates = dict.fromkeys(setting.stages[1:], self.options.prefix_rate)
        rate = setting.learning_rate or 1e-3
        return [Phase("train the prefixes", setting.epochs, rate, rates, moves=is_prefix)]


def _opened(shape: Sequence[int | None], count: int, name: str) -> keras.Model:
    """A small model that lets every token see so many more keys in front of its own."""
    import keras
    from keras import ops

    shut = keras.Input((*shape[:-1], None))
    return keras.Model(
        shut, ops.concatenate([ops.repeat(ops.zeros_like(shut[..., :1]), count, -1), shut], -1), name=name
    )


def _portions(words: Sequence[str], several: int = 3) -> list[Sequence[str]]:
    """The words in texts of a few each, which any length of input can hold."""
    return [words[at : at + several] for at in range(0, len(words), several)]

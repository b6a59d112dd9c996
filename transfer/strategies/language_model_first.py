"""Language model first: the network goes on guessing words in the target's texts, then learns from the labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from transfer.strategies import Phase, Setting, Step, Strategy, Term
from transfer.strategies.feature_extraction import FeatureExtraction
from transfer.strategies.fine_tuning import FineTuning
from transfer.strategies.gradual_unfreezing import GradualUnfreezing

THEN: dict[str, type[Strategy]] = {
    "fine_tuning": FineTuning,
    "gradual_unfreezing": GradualUnfreezing,
    "feature_extraction": FeatureExtraction,
}


def guessed(rows: Any, table: Any, asked: Any) -> tuple[Any, Any]:
    """How well tokens are guessed from the rows at their places.

    Args:
        rows: a row for each token of each text, shape (n, tokens, d).
        table: a vector for each token of the vocabulary, shape (words, d); a token's logit is its vector times the row.
        asked: places in each text and the tokens to be guessed there, int32, shape (n, k, 2); token 0 asks nothing.

    Returns:
        Cross-entropy, nats, about ln(words) for a blind guess; and the share that is guessed right, 0 to 1. Both are
        means over the tokens asked, 0 when none is.

    Reference:
        Press & Wolf 2017, Using the output embedding to improve language models: one table for input and output.
        Deviation from BERT: no dense layer and no bias before the logits, so that nothing but the backbone is learned.
    """
    from keras import losses, ops

    places, tokens = asked[..., 0], asked[..., 1]
    rows = ops.take_along_axis(rows, ops.expand_dims(places, -1), axis=1)
    logits = ops.cast(ops.matmul(rows, ops.transpose(ops.cast(table, rows.dtype))), "float32")
    each = losses.sparse_categorical_crossentropy(tokens, logits, from_logits=True)
    right = ops.cast(ops.equal(ops.argmax(logits, axis=-1), ops.cast(tokens, "int64")), "float32")
    counted = ops.cast(ops.not_equal(tokens, 0), "float32")
    count = ops.maximum(ops.sum(counted), 1.0)
    return ops.sum(counted * each) / count, ops.sum(counted * right) / count


def terms(stages: tuple[str, ...]) -> dict[str, Term]:
    """The language model's loss, and the share of tokens it guesses right, which is only plotted.

    Args:
        stages: of a network with a language model (`transfer.backbones.Backbone.language`), bottom to top.
    """

    def found(step: Step) -> tuple[Any, Any]:
        maps = step.unlabelled["language"].maps
        rows = next(maps[name] for name in reversed(stages) if len(maps[name].shape) == 3)
        return guessed(rows, step.weights[stages[0]][0], step.asked)

    return {
        "language_model": Term(1.0, lambda step: found(step)[0]),
        "guessed_share": Term(0.0, lambda step: found(step)[1]),
    }


class LanguageModelFirst(Strategy):
    """The language model is trained further on the target's texts, without labels; then labels are learned.

    The few labelled texts build on the words and turns of phrase that the many unlabelled ones teach. It helps most
    where the target's language differs from what the network has read, and there are many texts beside the labelled
    ones. It misleads where all texts have labels, for then it mostly takes longer, and with few texts, which the
    network learns by heart: the loss falls and nothing is gained. It reads training texts only.

    Reference:
        Howard & Ruder 2018, ULMFiT, section 3.2 (target task LM fine-tuning); Gururangan et al. 2020, Don't stop
        pretraining, section 4 (task-adaptive pretraining). Deviation: the language model's rate is constant, not
        slanted triangular, and the same for all stages.
    """

    key = "language_model_first"
    title = "Language model first"
    sentence = (
        "First the network goes on guessing words in the target's texts, without labels, then it learns from the "
        "labels available."
    )
    formula = (
        r"\min_\theta -\sum_{i \in \text{asked}} \log p_\theta(w_i \mid \text{rest})"
        r"\;,\;\text{then}\; \min_{\theta, h} \mathcal{L}_{target}"
    )
    frozen = "nothing, then what the second part freezes"
    reference = "[Howard & Ruder 2018](https://arxiv.org/abs/1801.06146)"
    needs = ("weights", "language")

    class Options(Strategy.Options):
        """Language model first."""

        then: Literal["fine_tuning", "gradual_unfreezing", "feature_extraction"] = Field(
            "fine_tuning", description="How the network learns from labels after that."
        )
        share: float = Field(
            0.3,
            gt=0,
            lt=1,
            description="Share of the epochs in which it reads without labels. Such an epoch reads all training texts, "
            "labelled or not.",
            json_schema_extra={"unit": "share"},
        )
        language_rate: float = Field(
            0.5,
            gt=0,
            le=1,
            description="Learning rate while it reads, relative to that of the output layer later.",
            json_schema_extra={"unit": "x"},
        )

    options: LanguageModelFirst.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """Reading without labels, then the phases of the strategy that follows; reading only, in a single epoch."""
        first = max(1, min(round(self.options.share * setting.epochs), setting.epochs - 1))
        reading = Phase(
            "read without labels",
            first,
            (setting.learning_rate or 1e-3) * self.options.language_rate,
            dict.fromkeys(setting.stages, 1.0),
            head_rate=0.0,
            terms=terms(setting.stages),
            unlabelled=("language",),
            target_weight=0.0,
        )
        left = setting.epochs - first
        return [reading, *(THEN[self.options.then]().phases(replace(setting, epochs=left)) if left else [])]

"""Co-Tuning: the source's head keeps training, on the target's labels translated into source classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from transfer.strategies import Ready, Shapes, Step, Term
from transfer.strategies.fine_tuning import FineTuning
from transfer.strategies.source_head import source_head

if TYPE_CHECKING:
    import keras


def relationship(source_chances: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """p(source class | target class): the mean prediction of the source's head for a class's pictures.

    Args:
        source_chances: shape (n, source classes), rows sum to 1.
        labels: target class indices, shape (n,).
        classes: number of target classes.

    Returns:
        Shape (classes, source classes), rows sum to 1; uniform for a class without pictures.
    """
    uniform = np.full(source_chances.shape[1], 1 / source_chances.shape[1])
    rows = [source_chances[labels == one].mean(axis=0) if (labels == one).any() else uniform for one in range(classes)]
    return np.stack(rows).astype("float32")


def source_agreement(step: Step) -> Any:
    """Cross-entropy of the source's head against the source label distribution of each picture's class."""
    from keras import losses, ops

    told = step.labels @ ops.convert_to_tensor(step.known["relationship"], "float32")
    logits = step.parts["source_head"](ops.cast(step.features, "float32"))
    return ops.mean(losses.categorical_crossentropy(told, logits, from_logits=True))


class CoTuning(FineTuning):
    """Fine-tunes the backbone, a new head and the source's head together.

    The source's head is usually thrown away; here it keeps training, on the target's labels
    translated into source classes. It misleads when source and target classes have nothing
    to do with each other: the translation is then nearly uniform and only a burden.

    Reference:
        You et al. 2020, Co-Tuning for Transfer Learning, eq. 1; lambda 2.3 as there. The
        relationship is learned by the direct approach (section 3.2), without calibration.
    """

    key = "co_tuning"
    title = "Co-Tuning"
    sentence = (
        "Fine-tuning that also keeps training the source's output layer, with the target's labels translated into "
        "source classes."
    )
    formula = r"\mathcal{L}_{target} + \lambda\, \text{CE}\big(p(y_s \mid y_t),\ h_s \circ f_\theta\big)"
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[You et al. 2020](https://proceedings.neurips.cc/paper/2020/hash/c8067ad1937f728f51288b3eb986afaa-Abstract.html)"
    family = "Close to the source"
    needs = ("weights", "source head")

    class Options(FineTuning.Options):
        """Co-Tuning."""

        trade_off: float = Field(2.3, ge=0, le=1e6, description="Weight of the source head's loss.")

    options: CoTuning.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The source's trained head."""
        return {"source_head": source_head(shapes)}

    def prepare(self, ready: Ready) -> dict[str, np.ndarray]:
        """The relationship between the classes, measured with the network as transferred."""
        assert ready.source_head is not None
        kernel, bias = ready.source_head
        logits = ready.features(ready.inputs) @ kernel + bias
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        return {"relationship": relationship(chances, ready.labels, ready.classes)}

    def terms(self) -> Mapping[str, Term]:
        """The loss of the source's head."""
        return {"source_agreement": Term(self.options.trade_off, source_agreement)}

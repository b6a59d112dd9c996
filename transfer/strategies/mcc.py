"""MCC: predictions on the target are trained not to confuse classes with one another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting


def class_confusion(logits: Any, temperature: float) -> Any:
    """How much the predictions of a batch confuse classes, 0 (none) to 1 - 1/classes.

    Args:
        logits: shape (n, classes).
        temperature: above 0; higher values first soften the predictions more.

    Reference:
        Jin et al. 2020, eq. 2 to 6: soft predictions, weighted by their certainty, correlated by class, normalised
        by row; the mean of what lies off the diagonal.
    """
    from keras import ops

    answers = ops.softmax(logits / temperature)
    entropy = -ops.sum(answers * ops.log(answers + 1e-8), axis=1)
    weights = ops.stop_gradient(1.0 + ops.exp(-entropy))
    weights = weights / ops.mean(weights)
    together = ops.matmul(ops.transpose(answers * ops.expand_dims(weights, 1)), answers)
    together = together / ops.sum(together, axis=1, keepdims=True)
    return 1.0 - ops.trace(together) / logits.shape[-1]


class MCC(Adapting):
    """Target predictions that waver between two classes are pushed towards one of them, batch by batch.

    It needs no alignment and no discriminator. It misleads when a batch is small for the number of classes.

    Reference:
        Jin et al. 2020, Minimum class confusion for versatile domain adaptation, eq. 7; temperature 2.5.
    """

    key = "mcc"
    title = "MCC"
    sentence = "Predictions on the target are trained to confuse classes less with one another."
    formula = r"\min_\theta \mathcal{L}_{source} + \lambda \tfrac{1}{C} \sum_{i} \sum_{j \ne i} |\tilde C_{ij}|"
    reference = "[Jin et al. 2020](https://arxiv.org/abs/1912.03699)"

    class Options(Adapting.Options):
        """MCC."""

        weight: float = Field(1.0, ge=0, le=100, description="Lambda: weight of the confusion loss.")
        temperature: float = Field(
            2.5, gt=0, le=100, description="Temperature that softens predictions before they are compared."
        )

    options: MCC.Options

    def terms(self) -> Mapping[str, Term]:
        """The confusion loss."""

        def value(step: Step) -> Any:
            return class_confusion(step.unlabelled["plain"].logits, self.options.temperature)

        return {"class_confusion": self.ramped(self.options.weight, value)}

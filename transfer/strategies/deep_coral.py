"""Deep CORAL: the feature covariances of both domains are aligned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import plain, unit


def covariance(features: Any) -> Any:
    """Covariance of the columns, shape (d, d); divided by n - 1, as in the paper."""
    from keras import ops

    centred = features - ops.mean(features, axis=0, keepdims=True)
    count = ops.cast(ops.maximum(ops.shape(features)[0] - 1, 1), "float32")
    return ops.matmul(ops.transpose(centred), centred) / count


def coral(source: Any, target: Any) -> Any:
    """Squared distance between the covariances, divided by 4 d^2; 0 or more."""
    from keras import ops

    size = source.shape[-1]
    return ops.sum(ops.square(covariance(source) - covariance(target))) / (4.0 * size * size)


class DeepCoral(Adapting):
    """Second-order statistics of source and target features are aligned.

    It helps where the domains differ in how features vary together. It misleads when class frequencies
    differ between the domains: it then matches clouds of different classes.

    Reference:
        Sun & Saenko 2016, Deep CORAL, eq. 1: ||C_S - C_T||_F^2 / (4 d^2). Here the features have length
        d^(1/2) (with no gradient through the length), so that the weight fits any backbone.
    """

    key = "deep_coral"
    title = "Deep CORAL"
    sentence = "The feature covariances of source and target are made equal."
    formula = r"\min_\theta \mathcal{L}_{source} + \lambda \tfrac{1}{4d^2} \lVert C_S - C_T \rVert_F^2"
    reference = "[Sun & Saenko 2016](https://arxiv.org/abs/1607.01719)"

    class Options(Adapting.Options):
        """Deep CORAL."""

        weight: float = Field(10.0, ge=0, le=1e4, description="Lambda: weight of the covariance loss.")

    options: DeepCoral.Options

    def terms(self) -> Mapping[str, Term]:
        """The distance between the covariances."""

        def value(step: Step) -> Any:
            source, target = plain(step)
            size = source.shape[-1] ** 0.5
            return coral(unit(source) * size, unit(target) * size)

        return {"coral": self.ramped(self.options.weight, value)}

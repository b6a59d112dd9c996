"""AFN: the features of both domains are scaled to the same large norm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import plain


def lengths(features: Any) -> Any:
    """The length of each row, shape (n,)."""
    from keras import ops

    return ops.sqrt(ops.sum(ops.square(ops.cast(features, "float32")), axis=1) + 1e-8)


def mean_gap(features: Any, radius: float) -> Any:
    """Squared distance of the features' mean length from ``radius``.

    Reference:
        Xu et al. 2019, eq. 4 (hard AFN).
    """
    from keras import ops

    return ops.square(ops.mean(lengths(features)) - radius)


def norm_gap(features: Any, step: float) -> Any:
    """Mean squared distance of each feature's length from its current length plus ``step``: always ``step`` squared.

    Reference:
        Xu et al. 2019, eq. 6 (stepwise AFN): L2(h(x; theta_0) + r, h(x; theta)), theta_0 being the last step's weights.
    """
    from keras import ops

    length = lengths(features)
    return ops.mean(ops.square(length - ops.stop_gradient(length + step)))


class AFN(Adapting):
    """Target features are shorter than the source's, and short features transfer badly: all are brought to one length.

    Hard AFN has a fixed goal; stepwise AFN keeps its goal ahead of the features, so its curve stays flat. It misleads
    where features are normalised, because their length then says nothing. Stepwise AFN also misleads with Adam, whose
    steps do not shrink with the gradient: lengths then grow without bound.

    Reference:
        Xu et al. 2019, Larger norm more transferable, eq. 4 and 6; R = 25, r = 1, weight 0.05. The paper prefers
        the stepwise form, with plain gradient descent.
    """

    key = "afn"
    title = "AFN"
    sentence = "Features of both domains are scaled to the same large norm, because larger features transfer better."
    formula = (
        r"\min_\theta \mathcal{L}_{source}"
        r" + \lambda \sum_{D \in \{S, T\}} \left(\tfrac{1}{n} \textstyle\sum_{x \in D} \lVert f(x) \rVert - R\right)^2"
    )
    reference = "[Xu et al. 2019](https://arxiv.org/abs/1811.07456)"

    class Options(Adapting.Options):
        """AFN."""

        weight: float = Field(0.05, ge=0, le=100, description="Lambda: weight of the norm loss.")
        goal: Literal["hard", "stepwise"] = Field(
            "hard", description="hard: the mean norm is pulled to R. stepwise: each feature's norm grows by r per step."
        )
        radius: float = Field(25.0, gt=0, le=10_000, description="R: the norm that hard AFN scales features to.")
        step: float = Field(1.0, gt=0, le=100, description="r: how much each step of stepwise AFN increases the norm.")

    options: AFN.Options

    def terms(self) -> Mapping[str, Term]:
        """The norm loss of both domains, and the norm of the target's features."""

        def gap(features: Any) -> Any:
            if self.options.goal == "hard":
                return mean_gap(features, self.options.radius)
            return norm_gap(features, self.options.step)

        def value(step: Step) -> Any:
            source, target = plain(step)
            return gap(source) + gap(target)

        def length(step: Step) -> Any:
            from keras import ops

            return ops.mean(lengths(plain(step)[1]))

        return {"norm_gap": Term(self.options.weight, value), "target_norm": Term(0.0, length)}

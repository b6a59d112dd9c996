"""AFN: the features of both domains are made larger, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import plain


def norm_gap(features: Any, step: float) -> Any:
    """Mean squared distance of each feature's length from ``step`` more than it is now; ``step`` squared at first.

    Reference:
        Xu et al. 2019, eq. 6: L2(h(x; theta_0) + r, h(x; theta)), theta_0 being the weights of the last step.
    """
    from keras import ops

    length = ops.sqrt(ops.sum(ops.square(ops.cast(features, "float32")), axis=1) + 1e-8)
    return ops.mean(ops.square(length - ops.stop_gradient(length + step)))


class AFN(Adapting):
    """Target features are shorter than the source's, and short ones transfer badly: so all are lengthened.

    Its curve does not move: the goal moves ahead with the features. What moves is their length. It
    misleads where features are normalised, for then length says nothing.

    Reference:
        Xu et al. 2019, Larger norm more transferable, eq. 6 (stepwise); r = 1, weight 0.05.
    """

    key = "afn"
    title = "AFN"
    sentence = "Features of both domains are lengthened step by step, for longer ones transfer better."
    formula = (
        r"\min_\theta \mathcal{L}_{source}"
        r" + \lambda \sum_{S \cup T} \left(\lVert f \rVert - \lVert f_0 \rVert - r\right)^2"
    )
    reference = "[Xu et al. 2019](https://arxiv.org/abs/1811.07456)"

    class Options(Adapting.Options):
        """AFN."""

        weight: float = Field(0.05, ge=0, le=100, description="Lambda: weight of the lengthening.")
        step: float = Field(1.0, gt=0, le=100, description="r: how much longer each step makes the features.")

    options: AFN.Options

    def terms(self) -> Mapping[str, Term]:
        """The lengthening of both domains, and how long the target's features are."""

        def value(step: Step) -> Any:
            source, target = plain(step)
            return norm_gap(source, self.options.step) + norm_gap(target, self.options.step)

        def length(step: Step) -> Any:
            from keras import ops

            return ops.mean(ops.norm(ops.cast(plain(step)[1], "float32"), axis=1))

        return {"norm_gap": Term(self.options.weight, value), "target_norm": Term(0.0, length)}

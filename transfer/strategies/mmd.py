"""MMD, as in deep adaptation networks: feature distributions are compared with kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import plain, unit

SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)


def kernel(features: Any) -> Any:
    """Mean of five Gaussian kernels between all rows, shape (n, n), each entry 0 to 1.

    Widths follow the data: sigma^2 = 2^k times the mean squared distance of two different rows, k = -3 to 1,
    under a stopped gradient.
    """
    from keras import ops

    count = ops.cast(ops.shape(features)[0], "float32")
    squares = ops.sum(ops.square(features), axis=1, keepdims=True)
    apart = squares + ops.transpose(squares) - 2.0 * ops.matmul(features, ops.transpose(features))
    apart = ops.maximum(apart, 0.0)
    mean = ops.stop_gradient(ops.sum(apart) / (count * (count - 1.0))) + 1e-12
    return sum(ops.exp(-apart / (2.0 * scale * mean)) for scale in SCALES) / len(SCALES)


def discrepancy(source: Sequence[Any], target: Sequence[Any]) -> Any:
    """Squared maximum mean discrepancy, 0 or more: 0 for a set with itself.

    Args:
        source: features of one or more layers, shapes (n, d); their kernels are multiplied (see `jan`).
        target: those of the target, shapes (m, d).
    """
    from keras import ops

    count = ops.shape(source[0])[0]
    product: Any = 1.0
    for ours, theirs in zip(source, target, strict=True):
        product = product * kernel(ops.concatenate([ours, theirs], axis=0))
    within = ops.mean(product[:count, :count]) + ops.mean(product[count:, count:])
    return within - 2.0 * ops.mean(product[:count, count:])


class MMD(Adapting):
    """The means of source and target features under five Gaussian kernels are aligned.

    Kernels see differences of every order, so it aligns more than CORAL does. It misleads when the target
    lacks classes: its pictures are then drawn to the missing classes, too.

    Reference:
        Long et al. 2015, Learning transferable features with deep adaptation networks (DAN), eq. 1 and 4; the
        biased estimate over the whole batch instead of the linear-time one, the mean of the kernels instead of
        learned weights, on features of length one.
    """

    key = "mmd"
    title = "MMD (DAN)"
    sentence = "The distributions of source and target features are drawn together, as measured by five kernels."
    formula = r"\min_\theta \mathcal{L}_{source} + \lambda\, \mathrm{MMD}^2_k(f_\theta(S), f_\theta(T))"
    reference = "[Long et al. 2015](https://arxiv.org/abs/1502.02791)"

    class Options(Adapting.Options):
        """MMD."""

        weight: float = Field(1.0, ge=0, le=1e4, description="Lambda: weight of the discrepancy.")

    options: MMD.Options

    def terms(self) -> Mapping[str, Term]:
        """The discrepancy."""

        def value(step: Step) -> Any:
            source, target = plain(step)
            return discrepancy([unit(source)], [unit(target)])

        return {"mmd": self.ramped(self.options.weight, value)}

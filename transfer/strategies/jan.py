"""JAN: features and predictions are aligned jointly, not separately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import plain, unit
from transfer.strategies.mmd import discrepancy


class JAN(Adapting):
    """The joint distribution of features and predictions is aligned, so that each class is aligned with itself.

    Like MMD, it misleads when the target lacks classes; it also misleads early on, while the predictions are wrong.

    Reference:
        Long et al. 2017, Deep transfer learning with joint adaptation networks, eq. 9: the kernels of the
        features and of the softmax predictions are multiplied; the biased estimate over the whole batch.
    """

    key = "jan"
    title = "JAN"
    sentence = "The joint distribution of features and predictions is made equal in source and target."
    formula = (
        r"\min_\theta \mathcal{L}_{source}"
        r" + \lambda\, \mathrm{JMMD}^2((f_\theta, p_\theta)(S), (f_\theta, p_\theta)(T))"
    )
    reference = "[Long et al. 2017](https://arxiv.org/abs/1605.06636)"

    class Options(Adapting.Options):
        """JAN."""

        weight: float = Field(1.0, ge=0, le=1e4, description="Lambda: weight of the joint discrepancy.")

    options: JAN.Options

    def terms(self) -> Mapping[str, Term]:
        """The joint discrepancy."""

        def value(step: Step) -> Any:
            from keras import ops

            source, target = plain(step)
            assert step.source is not None
            said = ops.softmax(step.source.logits), ops.softmax(step.unlabelled["plain"].logits)
            return discrepancy([unit(source), said[0]], [unit(target), said[1]])

        return {"joint_mmd": self.ramped(self.options.weight, value)}

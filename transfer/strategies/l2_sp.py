"""L2-SP: fine-tuning on a leash; weights are pulled back to where they started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.fine_tuning import FineTuning


def from_start(step: Step) -> Any:
    """Half the squared distance of the backbone's trainable weights from their start; 0 at the start."""
    from keras import ops

    parts = [
        ops.sum(ops.square(now - begun))
        for stage in step.weights
        if stage != "head"
        for now, begun in zip(step.weights[stage], step.start[stage], strict=True)
    ]
    return 0.5 * sum(parts, start=ops.zeros(()))


def size_of_head(step: Step) -> Any:
    """Half the squared norm of the head's weights."""
    from keras import ops

    return 0.5 * sum((ops.sum(ops.square(one)) for one in step.weights["head"]), start=ops.zeros(()))


class L2SP(FineTuning):
    """Fine-tuning with weight decay towards the start instead of zero.

    The penalty's weight says how much the source is trusted: with a large one nothing moves, with
    zero it is plain fine-tuning. It misleads where the target needs features the source lacks.

    Reference:
        Li, Grandvalet & Davoine 2018, Explicit Inductive Bias for Transfer Learning, eq. 2, with
        alpha and beta 0.01 as in TLlib; added to the loss, so Adam rescales the pull.
    """

    key = "l2_sp"
    title = "L2-SP"
    sentence = "Fine-tuning with a penalty that pulls every weight back to where it started."
    formula = (
        r"\mathcal{L}_{target} + \tfrac{\alpha}{2} \lVert \theta - \theta_0 \rVert^2"
        r" + \tfrac{\beta}{2} \lVert h \rVert^2"
    )
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Li et al. 2018](https://arxiv.org/abs/1802.01483)"
    family = "Close to the source"

    class Options(FineTuning.Options):
        """L2-SP."""

        alpha: float = Field(
            0.01, ge=0, le=1e9, description="How strongly the backbone's weights are pulled back to where they started."
        )
        beta: float = Field(
            0.01, ge=0, le=1e9, description="How strongly the output layer's weights are pulled towards zero."
        )

    options: L2SP.Options

    def terms(self) -> Mapping[str, Term]:
        """The two penalties, each with its own curve."""
        return {
            "from_start": Term(self.options.alpha, from_start),
            "head_size": Term(self.options.beta, size_of_head),
        }

"""Knowledge distillation: the student learns from the labels and from the teacher's soft predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.taught import Taught, teacher_of


def soft_answers(temperature: float) -> Callable[[Step], Any]:
    """T squared times KL(teacher at T || student at T), averaged over the batch; 0 when they agree."""

    def value(step: Step) -> Any:
        from keras import distillation, losses

        # Keras softens both before the divergence and multiplies by T squared, but only when given the class: for
        # the name "kl_divergence", Keras 3.15 takes the divergence of raw logits and does neither.
        loss = distillation.LogitsDistillation(temperature=temperature, loss=losses.KLDivergence())
        return loss.compute_loss(teacher_of(step).logits, step.logits)

    return value


class Distillation(Taught):
    """The student learns how likely every class is to the teacher, not only which one is right.

    That a 7 looks a little like a 1 is knowledge the labels do not hold. It misleads when student
    and teacher know the same: then the soft predictions add nothing.

    Reference:
        Hinton, Vinyals & Dean 2015, Distilling the Knowledge in a Neural Network, section 2; T = 4,
        alpha = 0.9 as in RepDistiller.
    """

    key = "distillation"
    title = "Distillation"
    sentence = "The student learns from the labels and from the teacher's predicted probabilities."
    formula = (
        r"(1 - \alpha)\, \mathcal{L}_{target}"
        r" + \alpha\, T^2\, \text{KL}\big(\sigma(z_t / T)\,\Vert\,\sigma(z_s / T)\big)"
    )
    frozen = "the teacher; the student's backbone while a new head learns"
    reference = "[Hinton et al. 2015](https://arxiv.org/abs/1503.02531)"

    class Options(Taught.Options):
        """Distillation."""

        temperature: float = Field(4.0, gt=0, le=100, description="T: softens both predictions. 1: unchanged.")
        alpha: float = Field(
            0.9, ge=0, le=1, description="Weight of the teacher's predictions; the labels get the rest.",
            json_schema_extra={"unit": "share"},
        )  # fmt: skip

    options: Distillation.Options

    @property
    def hard(self) -> float:
        """Weight of the labels: what alpha leaves."""
        return 1 - self.options.alpha

    def terms(self) -> Mapping[str, Term]:
        """The divergence from the teacher."""
        return {"soft_answers": Term(self.options.alpha, soft_answers(self.options.temperature))}

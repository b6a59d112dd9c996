"""Mean teacher: the network learns from its own running average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from transfer.strategies import Phase, Setting, Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.fixmatch import aligned


def inconsistency(teacher: Any, pupil: Any, threshold: float = 0.0) -> Any:
    """Mean squared difference of the predictions, 0 to 2; no gradient reaches the teacher, unsure rows count as 0.

    Args:
        teacher: logits, shape (n, classes).
        pupil: logits, shape (n, classes).
        threshold: lowest probability at which a prediction counts, 0 to 1.
    """
    from keras import ops

    answers = ops.stop_gradient(ops.softmax(teacher))
    counted = ops.cast(ops.max(answers, axis=1) >= threshold, "float32")
    return ops.mean(counted * ops.sum(ops.square(ops.softmax(pupil) - answers), axis=1))


class MeanTeacher(Adapting):
    """A running average of the network labels one view of a picture; the network learns to give another the same.

    An average is steadier than what it averages, so its predictions are better labels than the network's own. It
    misleads when both are wrong in the same way, which nothing here would notice.

    Reference:
        Tarvainen & Valpola 2017, Mean teachers are better role models, section 2; for adaptation, French et al. 2018,
        Self-ensembling. Deviations: predictions are aligned first, as in AdaMatch, instead of their class-balance
        loss; tested with the network, not with its teacher.
    """

    key = "mean_teacher"
    title = "Mean teacher"
    sentence = (
        "A running average of the network labels one view of a picture; the network learns to give another view the "
        "same label."
    )
    formula = r"\min_\theta \mathcal{L}_{source} + \lambda(p) \lVert p_\theta(x') - p_{\bar\theta}(x) \rVert^2"
    reference = "[Tarvainen & Valpola 2017](https://arxiv.org/abs/1703.01780)"
    views = ("weak", "strong")
    labelled_view = "weak"

    needs = ("weights", "source or labels")

    class Options(Adapting.Options):
        """Mean teacher."""

        weight: float = Field(3.0, ge=0, le=1000, description="Lambda: weight of the consistency loss.")
        threshold: float = Field(0.968, ge=0, le=1, description="Use only predictions with at least this probability.")
        align: bool = Field(
            True,
            description="Align its labels with the class frequencies predicted for labelled pictures (AdaMatch).",
        )
        momentum: float = Field(
            0.99, gt=0, lt=1, description="Decay of the running average: the share that is kept at each step."
        )

    options: MeanTeacher.Options

    def terms(self) -> Mapping[str, Term]:
        """The consistency loss."""

        def value(step: Step) -> Any:
            teacher, pupil = step.average["weak"].logits, step.unlabelled["strong"].logits
            if self.options.align:
                teacher = aligned(teacher, step.logits if step.source is None else step.source.logits)
            return inconsistency(teacher, pupil, self.options.threshold)

        return {"inconsistency": self.ramped(self.options.weight, value)}

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase, with a running average."""
        return [replace(phase, average=self.options.momentum) for phase in super().phases(setting)]

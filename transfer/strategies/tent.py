"""TENT: at test time, batch-norm's scale and shift are trained to make predictions confident."""

from __future__ import annotations

from typing import Any

from transfer.strategies import Phase, Setting, Step, Strategy, Term
from transfer.strategies.losses import entropy


class Tent(Strategy):
    """Only batch-norm's scale and shift are trained, on the entropy of the predictions, with the target's statistics.

    It needs neither source data nor labels. It misleads when the network is confidently wrong: it grows more
    confident, and many passes can put all pictures into one class.

    Reference:
        Wang et al. 2021, Tent: fully test-time adaptation by entropy minimization, eq. 1 and section 3.2. Deviation:
        it learns on the target's training pictures and is tested on others with the running statistics, whereas
        the paper adapts to each test batch and predicts it in the same step.
    """

    key = "tent"
    title = "TENT"
    sentence = "Batch-norm uses the target's statistics; its scale and shift are trained to make predictions confident."
    formula = r"\min_{\gamma, \beta}\; -\sum_c p_c \log p_c"
    frozen = "all but batch-norm"
    reference = "[Wang et al. 2021](https://arxiv.org/abs/2006.10726)"
    family = "Without target labels"
    needs = ("weights", "source head", "same classes")
    unlabelled = True
    works_on = "batch norm"
    adds = "scale and shift of batch-norm"

    class Options(Strategy.Options):
        """TENT."""

    options: Tent.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase on the target alone."""

        def unsure(step: Step) -> Any:
            return entropy(step.unlabelled["plain"].logits)

        return [
            Phase(
                "make predictions confident",
                setting.epochs,
                setting.learning_rate or 1e-3,
                dict.fromkeys(setting.stages, 1.0),
                head_rate=0.0,
                batch_norm="batch",
                terms={"unsure": Term(1.0, unsure)},
                moves=lambda layer, path: layer == "BatchNormalization",
                unlabelled=("plain",),
            )
        ]

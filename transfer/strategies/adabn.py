"""AdaBN: batch-norm statistics are measured again on the target; nothing is trained."""

from __future__ import annotations

from typing import Any

from transfer.strategies import Phase, Setting, Step, Strategy, Term
from transfer.strategies.losses import entropy


class AdaBN(Strategy):
    """Batch-norm means and variances adapt to the target's pictures; every weight stays as it was.

    It corrects differences in brightness, contrast and noise at the cost of a few passes. A network
    without batch-norm is refused. It misleads when class frequencies differ between the domains.

    Reference:
        Li et al. 2016, Revisiting batch normalization for practical domain adaptation, algorithm 1. Deviation: the
        running mean of the batches, with the layers' own momentum, instead of one pass over all pictures.
    """

    key = "adabn"
    title = "AdaBN"
    sentence = "Only the batch-norm statistics change: they are measured again on the target. No weight is trained."
    formula = r"\mu_\ell \leftarrow \mathbb{E}_T[h_\ell],\quad \sigma^2_\ell \leftarrow \mathrm{Var}_T[h_\ell]"
    frozen = "all weights; only the statistics change"
    reference = "[Li et al. 2016](https://arxiv.org/abs/1603.04779)"
    family = "Without target labels"
    needs = ("weights", "source head", "same classes")
    unlabelled = True
    works_on = "batch norm"
    adds = "statistics only"

    class Options(Strategy.Options):
        """AdaBN."""

    options: AdaBN.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase in which no variable is trained."""

        def unsure(step: Step) -> Any:
            return entropy(step.unlabelled["plain"].logits)

        return [
            Phase(
                "measure the target's statistics",
                setting.epochs,
                setting.learning_rate or 1e-3,
                dict.fromkeys(setting.stages, 1.0),
                head_rate=0.0,
                batch_norm="batch",
                terms={"unsure": Term(0.0, unsure)},
                moves=lambda layer, path: False,
                unlabelled=("plain",),
                target_weight=0.0,
            )
        ]

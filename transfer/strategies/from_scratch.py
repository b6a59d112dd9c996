"""Training from scratch: the baseline that every transfer has to beat."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


class FromScratch(Strategy):
    """The same network with random weights, trained on the target alone.

    It shows how far the target's own labels go. It misleads when the budget is short: a network
    that starts from random weights needs more steps than one that starts from a source.

    Reference:
        He, Girshick & Dollar 2019, Rethinking ImageNet Pre-training.
    """

    key = "from_scratch"
    title = "From scratch"
    sentence = "Random weights, trained on the target only: what you get without transfer."
    formula = r"\min_{\theta,\,h}\; \mathcal{L}_{target}(h \circ f_\theta),\quad \theta_0 \sim \text{random}"
    frozen = "nothing: every weight is new"
    reference = "[He et al. 2019](https://arxiv.org/abs/1811.08883)"
    start = "random"
    needs = ()

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase; batch-norm learns its statistics from the target's batches."""
        return [
            Phase(
                "train everything",
                setting.epochs,
                setting.learning_rate or 3e-3,
                rates=dict.fromkeys(setting.stages, 1.0),
                batch_norm="batch",
            )
        ]

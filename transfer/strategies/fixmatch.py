"""FixMatch: a confident prediction on a weak view becomes the label of a strong view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.pseudo_label import PseudoLabel, sure, taught_by


def aligned(weak: Any, labelled: Any) -> Any:
    """Logits of the weak views, adjusted so that each class is predicted as often as for labelled pictures.

    Without it, a class that is predicted too often is taught more often still. It misleads where class frequencies
    differ between the domains.

    Args:
        weak: logits of pictures without labels, shape (n, classes).
        labelled: logits of labelled pictures, shape (m, classes).

    Reference:
        Berthelot et al. 2021, AdaMatch, eq. 3, with the means of one batch.
    """
    from keras import ops

    answers = ops.softmax(weak)
    wanted, named = ops.mean(ops.softmax(labelled), axis=0), ops.mean(answers, axis=0)
    return ops.stop_gradient(ops.log(answers + 1e-8) + ops.log(wanted + 1e-6) - ops.log(named + 1e-6))


class FixMatch(PseudoLabel):
    """A confident prediction on a slightly shifted picture becomes the label for the same picture, heavily changed.

    It makes use of many unlabelled pictures alongside a few labelled ones or a source. It misleads where
    the strong view changes the class: a 6 turned far is a 9.

    Reference:
        Sohn et al. 2020, FixMatch, eq. 3 and 4; threshold 0.95. Deviations: predictions are aligned first, as in
        AdaMatch; as many unlabelled pictures as labelled ones (7 times as many in the paper); tested with the weights
        themselves, not their running average.
    """

    key = "fixmatch"
    title = "FixMatch"
    sentence = "A confident answer on a lightly changed picture becomes the label for a heavily changed one."
    formula = (
        r"\min_\theta \mathcal{L} + \lambda \sum_T \mathbb{1}[\max p_{weak} \ge \tau]\; H(\hat y_{weak}, p_{strong})"
    )
    reference = "[Sohn et al. 2020](https://arxiv.org/abs/2001.07685)"
    views = ("weak", "strong")
    labelled_view = "weak"

    class Options(PseudoLabel.Options):
        """FixMatch."""

        align: bool = Field(
            True,
            description="Align pseudo-labels with the class frequencies predicted for labelled pictures (AdaMatch).",
        )

    options: FixMatch.Options

    def terms(self) -> Mapping[str, Term]:
        """The loss on the strong views, and the share of weak views with a confident prediction."""

        def value(step: Step) -> Any:
            weak, strong = step.unlabelled["weak"].logits, step.unlabelled["strong"].logits
            if self.options.align:
                weak = aligned(weak, step.logits if step.source is None else step.source.logits)
            return taught_by(weak, strong, self.options.threshold)

        def share(step: Step) -> Any:
            from keras import ops

            return ops.mean(sure(step.unlabelled["weak"].logits, self.options.threshold)[1])

        return {"own_labels": self.ramped(self.options.weight, value), "sure_share": Term(0.0, share)}

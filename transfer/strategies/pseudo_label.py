"""Pseudo-label: the network's confident predictions become labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Step, Term
from transfer.strategies.adapting import Adapting


def sure(logits: Any, threshold: float) -> tuple[Any, Any]:
    """The likeliest class of each row, one-hot, and 1.0 for rows whose probability reaches the threshold.

    Neither passes a gradient; shapes (n, classes) and (n,).
    """
    from keras import ops

    answers = ops.stop_gradient(ops.softmax(logits))
    chosen = ops.one_hot(ops.argmax(answers, axis=1), answers.shape[-1])
    return chosen, ops.cast(ops.max(answers, axis=1) >= threshold, "float32")


def taught_by(teacher: Any, pupil: Any, threshold: float) -> Any:
    """Cross-entropy of the pupil's predictions against the teacher's confident ones; other rows count as 0.

    Args:
        teacher: logits that give the labels, shape (n, classes).
        pupil: logits that learn them, shape (n, classes).
        threshold: lowest probability at which a prediction becomes a label, 0 to 1.
    """
    from keras import losses, ops

    labels, counted = sure(teacher, threshold)
    return ops.mean(counted * losses.categorical_crossentropy(labels, pupil, from_logits=True))


class PseudoLabel(Adapting):
    """Predictions above a confidence threshold are learned as if they were labels.

    It reinforces right and wrong predictions alike, so it helps where the network is already mostly right.

    Reference:
        Lee 2013, Pseudo-label, eq. 15 and 16 (its weight grows with progress); the threshold as in FixMatch.
    """

    key = "pseudo_label"
    title = "Pseudo-labels"
    sentence = "Where the network is confident, its own prediction on a target picture becomes the label."
    formula = r"\min_\theta \mathcal{L}_{source} + \lambda(p) \sum_T \mathbb{1}[\max p \ge \tau]\; H(\hat y, p)"
    reference = (
        "[Lee 2013](https://www.kaggle.com/blobs/download/forum-message-attachment-files/746/pseudo_label_final.pdf)"
    )

    needs = ("weights", "source or labels")

    class Options(Adapting.Options):
        """Pseudo-labels."""

        weight: float = Field(1.0, ge=0, le=100, description="Lambda: weight of the network's own labels.")
        threshold: float = Field(0.95, ge=0, le=1, description="Use only predictions with at least this probability.")

    options: PseudoLabel.Options

    def terms(self) -> Mapping[str, Term]:
        """The loss on the network's own labels, and the share of pictures that have one."""

        def value(step: Step) -> Any:
            logits = step.unlabelled["plain"].logits
            return taught_by(logits, logits, self.options.threshold)

        def share(step: Step) -> Any:
            from keras import ops

            return ops.mean(sure(step.unlabelled["plain"].logits, self.options.threshold)[1])

        return {"own_labels": self.ramped(self.options.weight, value), "sure_share": Term(0.0, share)}

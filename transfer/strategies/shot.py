"""SHOT: the source's head stays frozen, and the target's features move to where it is confident; no source data."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import Field

from transfer.strategies import Phase, Ready, Setting, Step, Strategy, Term
from transfer.strategies.losses import diversity, entropy


def nearest_centres(features: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """The class whose centre is nearest in angle, for each picture, shape (n,).

    Centres are first means weighted by the predictions, then means of the pictures nearest to each.

    Args:
        features: shape (n, d).
        answers: probabilities, shape (n, classes).

    Reference:
        Liang et al. 2020, eq. 4 to 6; features of length one with a 1 appended, as in the authors' code.
    """
    whole = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    whole = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    weights, labels = answers, answers.argmax(axis=1)
    for _ in range(2):
        centres = weights.T @ whole / (weights.sum(axis=0)[:, None] + 1e-8)
        length = np.linalg.norm(centres, axis=1)
        alike = whole @ (centres / np.maximum(length, 1e-8)[:, None]).T
        # A class without pictures has no centre.
        alike[:, weights.sum(axis=0) < 0.5] = -np.inf
        labels = alike.argmax(axis=1)
        weights = np.eye(answers.shape[1])[labels]
    return labels


class SHOT(Strategy):
    """Source-free: the head is frozen; the backbone is trained for confident and varied predictions on the target.

    In each epoch every picture also gets the class of the nearest class centre as a pseudo-label. It needs
    neither source data nor labels. It misleads when some target classes are rarer than others: it spreads
    its predictions evenly.

    Reference:
        Liang et al. 2020, Do we really need to access the source data?, eq. 3 and 7; entropy 1, diversity 1,
        pseudo-labels 0.1 as in its digits recipe. Deviation: the source is learned with the lab's recipe, without
        label smoothing and weight normalisation.
    """

    key = "shot"
    title = "SHOT (source-free)"
    sentence = "The output layer is frozen; the backbone is trained for confident and varied predictions on the target."
    formula = r"\min_\theta\; H(p) - H(\bar p) + \beta\, \mathcal{L}_{pseudo}"
    frozen = "the head"
    reference = "[Liang et al. 2020](https://arxiv.org/abs/2002.08546)"
    family = "Without target labels"
    needs = ("weights", "source head", "same classes")
    unlabelled = True

    class Options(Strategy.Options):
        """SHOT."""

        pseudo: float = Field(0.1, ge=0, le=10, description="Beta: weight of the pseudo-labels.")
        rate: float = Field(
            0.1, gt=0, le=1, description="Learning rate of the backbone, relative to that of the output layer.",
            json_schema_extra={"unit": "x"},
        )  # fmt: skip

    options: SHOT.Options

    def refresh(self, ready: Ready) -> dict[str, np.ndarray]:
        """The pseudo-label of each picture."""
        features = ready.features(ready.unlabelled)
        logits = ready.logits(features).astype("float64")
        answers = np.exp(logits - logits.max(axis=1, keepdims=True))
        labels = nearest_centres(features.astype("float64"), answers / answers.sum(axis=1, keepdims=True))
        return {"pseudo": labels.astype("int32")}

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase on the target alone."""

        def unsure(step: Step) -> Any:
            return entropy(step.unlabelled["plain"].logits)

        def spread(step: Step) -> Any:
            return -diversity(step.unlabelled["plain"].logits)

        def pseudo(step: Step) -> Any:
            from keras import losses, ops

            labels = ops.take(step.known["pseudo"], step.places)
            logits = step.unlabelled["plain"].logits
            return ops.mean(losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))

        return [
            Phase(
                "adapt the features to the head",
                setting.epochs,
                setting.learning_rate or 1e-3,
                dict.fromkeys(setting.stages, self.options.rate),
                head_rate=0.0,
                batch_norm="batch",
                terms={
                    "unsure": Term(1.0, unsure),
                    "spread": Term(1.0, spread),
                    "pseudo": Term(self.options.pseudo, pseudo),
                },
                unlabelled=("plain",),
            )
        ]

"""A finished run's answers to its test set, and the usual figures computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from transfer.engine.judge.metrics import log_softmax
from transfer.errors import RequestError

FILE = "test.npz"


@dataclass(frozen=True)
class Answers:
    """A network's answers to labelled pictures, in the order of the test set.

    Args:
        logits: before the softmax, shape (n, classes).
        labels: true class indices, shape (n,).
        classes: class names in label order.
    """

    logits: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    @cached_property
    def probabilities(self) -> np.ndarray:
        """The softmax of the logits, shape (n, classes), each row 1 in sum."""
        return np.exp(log_softmax(self.logits.astype("float64")))

    @cached_property
    def predicted(self) -> np.ndarray:
        """The class of the largest logit, shape (n,)."""
        return np.asarray(self.logits.argmax(axis=1))

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the predicted class, shape (n,), 1 / classes to 1."""
        return self.probabilities.max(axis=1)

    @property
    def right(self) -> np.ndarray:
        """Whether the prediction is the label, shape (n,)."""
        return np.asarray(self.predicted == self.labels)

    @property
    def present(self) -> list[int]:
        """Classes that occur among the labels; others were left out of the test set."""
        return np.unique(self.labels).tolist()


def read(folder: Path, classes: Sequence[str]) -> Answers:
    """The answers that a finished run stored in its folder.

    Raises:
        RequestError: there are none, because the run was not tested or its files were removed.
    """
    try:
        with np.load(folder / FILE, allow_pickle=False) as stored:
            return Answers(stored["logits"], stored["labels"].astype("int64"), tuple(classes))
    except (OSError, ValueError, KeyError) as problem:
        raise RequestError(
            "This run has no stored answers to its test set.", type(problem).__name__,
            "Open a finished run, or run this one again.",
        ) from problem  # fmt: skip


def scores(answers: Answers) -> dict[str, float]:
    """The test in single figures: accuracy, balanced accuracy, macro precision, recall and F1, top 5.

    They tell how often the network is right, and whether that holds for rare classes too: the macro
    figures give every class the same weight, accuracy every picture. They mislead with few pictures,
    where a single one moves a class by points; see the interval next to the accuracy.

    Args:
        answers: at least one. Classes without a picture are left out of the means.

    Returns:
        Shares of 0 to 1, by name. ``top_5`` is there when there are more than 5 classes.

    Reference:
        scikit-learn: accuracy_score, balanced_accuracy_score, precision_recall_fscore_support,
        top_k_accuracy_score.
    """
    from sklearn import metrics

    truth, said, present = answers.labels, answers.predicted, answers.present
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth, said, labels=present, average="macro", zero_division=0
    )
    found = {
        "accuracy": metrics.accuracy_score(truth, said),
        # The mean recall of the classes there are; scikit-learn's own would warn of a class that was only predicted.
        "balanced_accuracy": recall,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
    if len(answers.classes) > 5:
        every = np.arange(len(answers.classes))
        found["top_5"] = metrics.top_k_accuracy_score(truth, answers.logits, k=5, labels=every)
    return {name: float(value) for name, value in found.items()}


def per_class(answers: Answers) -> pd.DataFrame:
    """One row per class that occurs: class, pictures, precision, recall, F1 and its most frequent wrong answer.

    Precision: the share of pictures classified as this class that belong to it. Recall: the share of this
    class's pictures that are found. Both mislead in classes with few pictures.

    Returns:
        Shares of 0 to 1; ``taken_for`` is empty for a class without mistakes.
    """
    from sklearn import metrics

    present = answers.present
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        answers.labels, answers.predicted, labels=present, average=None, zero_division=0
    )
    taken_for = []
    for one in present:
        wrong = answers.predicted[(answers.labels == one) & ~answers.right]
        often = np.bincount(wrong, minlength=len(answers.classes))
        taken_for.append(f"{answers.classes[int(often.argmax())]} ({often.max()})" if len(wrong) else "")
    return pd.DataFrame(
        {
            "class": [answers.classes[one] for one in present],
            "pictures": support,
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "taken_for": taken_for,
        }
    )


def surest_mistakes(answers: Answers, most: int = 24) -> np.ndarray:
    """Indices of the wrong answers with the highest probability, most confident first; look here for wrong labels."""
    wrong = np.flatnonzero(~answers.right)
    return wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:most]


def unsure_hits(answers: Answers, most: int = 24) -> np.ndarray:
    """Indices of the right answers with the lowest probability, least confident first; some were luck."""
    right = np.flatnonzero(answers.right)
    return right[np.argsort(answers.confidence[right], kind="stable")][:most]

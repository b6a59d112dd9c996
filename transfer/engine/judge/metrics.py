"""Figures that say how well a network answers, in NumPy, from logits and labels."""

from __future__ import annotations

import math

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log-probabilities, shape (n, classes), computed without overflow."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Mean negative log-probability of the true class, nats, >= 0; ln(classes) is a blind guess.

    No label smoothing and no class weights, so that validation curves of all runs compare.
    """
    return float(-log_softmax(logits.astype("float64"))[np.arange(len(labels)), labels].mean())


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose largest logit is the true class, 0 to 1."""
    return float((logits.argmax(axis=1) == labels).mean())


def wilson(hits: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share from ``hits`` of ``count`` independent samples, within 0 to 1.

    ``hits`` need not be whole: a mean share times ``count`` will do.

    It tells how far a test accuracy could be off because the test set is finite. It misleads
    as a measure of a method: another seed, another choice of labels, adds spread of its own.

    Reference:
        Wilson 1927; (p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
    """
    if count == 0:
        return 0.0, 1.0
    share, shrink = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / shrink
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / shrink
    return max(0.0, middle - half), min(1.0, middle + half)

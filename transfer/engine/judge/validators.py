"""Figures that judge a network on samples without labels, to choose an epoch by; in NumPy, from logits.

Each looks only at what the network says of the target's validation samples. They misinform when the
network is surely wrong: sure answers have low entropy whether right or not.
"""

from __future__ import annotations

import numpy as np

from transfer.engine.judge.metrics import log_softmax

TEMPERATURE = 0.05


def entropy(logits: np.ndarray) -> float:
    """Mean entropy of the answers, nats, 0 (all sure) to ln(classes); lower is taken for better.

    Misleads when all samples are put into one class, surely.

    Reference:
        Grandvalet & Bengio 2004, eq. 4; as a validator, Morerio et al. 2018.
    """
    sure = log_softmax(logits.astype("float64"))
    return float(-(np.exp(sure) * sure).sum(axis=1).mean())


def information(logits: np.ndarray) -> float:
    """Mutual information of sample and answer, nats, 0 to ln(classes); higher is taken for better.

    The entropy of the mean answer less the mean entropy: sure answers, spread over the classes.
    Misleads when the target's classes are not equally common.

    Reference:
        Bridle et al. 1991; Musgrave et al. 2022, Benchmarking validation methods for UDA, "IM".
    """
    mean = np.exp(log_softmax(logits.astype("float64"))).mean(axis=0)
    return float(-(mean * np.log(np.maximum(mean, 1e-12))).sum()) - entropy(logits)


def density(logits: np.ndarray) -> float:
    """Soft neighbourhood density, nats, 0 to ln(n - 1); higher is taken for better.

    The mean entropy of each sample's similarities to all others, at temperature 0.05: high when
    samples lie in clusters of many. Misleads when all of them lie in one.

    Reference:
        Saito et al. 2021, Tune it the right way, eq. 2 and 3, on the softmax answers as in their code.
    """
    said = np.exp(log_softmax(logits.astype("float64")))
    said /= np.linalg.norm(said, axis=1, keepdims=True)
    alike = said @ said.T / TEMPERATURE
    np.fill_diagonal(alike, -np.inf)
    near = log_softmax(alike)
    held = np.exp(near)
    np.fill_diagonal(near, 0.0)
    return float(-(held * near).sum(axis=1).mean())


def apart(source: np.ndarray, target: np.ndarray) -> float:
    """Proxy A-distance of two sets of features, 0 (a line cannot tell them apart) to 2 (always).

    2 (1 - 2 error) of the best linear separation, fitted by least squares on half of each and tried on
    the other; below 0 is called 0. Misleads when there are fewer samples than features.

    Args:
        source: shape (n, d), at least 4 rows.
        target: shape (m, d), at least 4 rows.

    Reference:
        Ben-David et al. 2007, Analysis of representations for domain adaptation, section 5; a ridge
        classifier stands for the linear SVM.
    """
    features = np.concatenate([source, target]).astype("float64")
    side = np.concatenate([np.ones(len(source)), -np.ones(len(target))])
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-6)
    features = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    weight = np.where(side > 0, 0.5 / len(source), 0.5 / len(target))
    fitted = np.arange(len(side)) % 2 == 0
    left = features[fitted] * weight[fitted, None]
    ridge = left.T @ features[fitted] + 1e-3 * np.eye(features.shape[1])
    line = np.linalg.solve(ridge, left.T @ side[fitted])
    wrong = (features[~fitted] @ line > 0) != (side[~fitted] > 0)
    error = float((weight[~fitted] * wrong).sum() / weight[~fitted].sum())
    return max(0.0, 2 * (1 - 2 * error))

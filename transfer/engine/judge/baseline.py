"""What needs no training at all: the nearest neighbours among the frozen features."""

from __future__ import annotations

import numpy as np

from transfer.engine.events import Baseline
from transfer.engine.loop.leg import Leg
from transfer.engine.samples.splits import Split
from transfer.modalities import modality

MOST_NEIGHBOURS = 5


def neighbours(labels: np.ndarray) -> int:
    """How many neighbours vote: five, or as many as the scarcest class has labels."""
    counts = np.bincount(labels)
    return min(MOST_NEIGHBOURS, int(counts[counts > 0].min()))


def nearest(known: np.ndarray, labels: np.ndarray, asked: np.ndarray, truth: np.ndarray) -> float:
    """Accuracy, 0 to 1, when each sample is given the commonest class of its nearest labelled ones.

    A learned head that stays below this line has learned less than looking up would give. It misleads with many
    dimensions and few labels, where all distances become alike.

    Args:
        known: features of the labelled samples, shape (n, d).
        labels: their class indices, shape (n,).
        asked: features of the samples to be named, shape (m, d).
        truth: what they are, shape (m,).

    Reference:
        Cover & Hart 1967, Nearest neighbor pattern classification; Euclidean distance between features of length one.
    """
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import normalize

    voters = KNeighborsClassifier(neighbours(labels)).fit(normalize(known), labels)
    return float((voters.predict(normalize(asked)) == truth).mean())


def looked_up(leg: Leg) -> Baseline | None:
    """The nearest neighbours' accuracy on the validation split; None where no labels or no frozen features are at hand.

    Args:
        leg: the first of the target.
    """
    if not leg.labelled or leg.prefix != list(leg.network.names):
        return None
    train, validation = leg.data.train, leg.data.validation
    found = nearest(leg.inputs("train"), train.labels, leg.inputs("validation"), validation.labels)
    return Baseline(f"{neighbours(train.labels)} nearest", found)


def without_network(leg: Leg, raw: Split) -> Baseline | None:
    """What the kind's simple method reaches on the validation split with the same labels; None where it has none.

    Args:
        leg: the first of the target.
        raw: its data as loaded.
    """
    # A first phase without labels may be followed by one that learns them.
    if not leg.labelled and (leg.adapts or not len(raw.train)):
        return None
    found = modality(leg.network.backbone.modality).baseline(raw.train, raw.validation)
    return None if found is None else Baseline(*found)

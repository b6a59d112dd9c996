"""The results of a run: its test figures, and the validation figures of its best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from transfer import catalog
from transfer.engine.judge import metrics
from transfer.engine.loop.checkpoint import Position
from transfer.engine.loop.leg import Leg


def examined(leg: Leg, logits: np.ndarray, place: Position, picked: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The figures of a run that has ended.

    Args:
        leg: the phase of the best epoch.
        logits: for the test set, with the weights of the best epoch, shape (n, classes).
        place: where the run ended; its best epoch is the one chosen on validation, or the last one.
        picked: logits for the test set, for each epoch that some way of choosing would have picked.
    """
    best, truth = place.best, leg.data.test.labels
    assert best is not None, "the untrained network has been validated"
    hits = int((logits.argmax(axis=1) == truth).sum())
    low, high = metrics.wilson(hits, len(truth))
    counts = np.bincount(truth, minlength=len(leg.data.classes))
    picks = {
        name: {"epoch": pick.epoch, "test_accuracy": metrics.accuracy(picked[pick.key], truth)}
        for name, pick in place.picks.items()
    }
    return ({"picks": picks} if picks else {}) | {
        "test_accuracy": hits / len(truth),
        "test_low": low,
        "test_high": high,
        "test_count": len(truth),
        "test_loss": metrics.cross_entropy(logits, truth),
        "validation_accuracy": best.accuracy,
        "validation_loss": best.loss,
        "last_validation_accuracy": place.last,
        "best_epoch": best.epoch,
        "chance": 1 / catalog.kept_classes(leg.experiment),
        "majority": int(counts.max()) / len(truth),
        "trainable_weights": place.trainable,
        "weights": leg.began().weights,
        "train_pictures": len(leg.data.train),
        "validation_pictures": len(leg.data.validation),
    }

"""How far apart two data sets are for a network trained on neither: proxy A-distance and MMD."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from transfer import catalog
from transfer.datasets import Dataset
from transfer.engine.inspect import rebuilt
from transfer.engine.judge import validators
from transfer.engine.loop import device
from transfer.engine.network import features
from transfer.engine.network.features import Told
from transfer.engine.network.network import Knowledge, Network
from transfer.engine.samples import splits
from transfer.modalities import modality
from transfer.strategies.mmd import discrepancy

SAMPLES = 500
SHUFFLES = 20
A_DIMENSION = 8


def distance(first: str, second: str, backbone: str, seed: int, told: Told) -> dict[str, Any]:
    """Distances between the backbone's features, with the values that chance alone would give.

    A small distance promises nothing: the classes may still be arranged differently. With random weights
    (a backbone that is not pretrained) it compares little more than brightness and texture.

    Args:
        first: key of a data set.
        second: key of another.
        backbone: key of the network whose features are compared, at its usual sample size.
        seed: of splits and of random weights.
        told: called with (done, total) while features are computed.

    Returns:
        JSON-able: ``a_distance`` 0 to 2 and ``mmd`` 0 or more (squared, on features of length one), each with
        ``..._chance``, the 95th percentile over shuffles of the pictures; ``pictures`` of each.
    """
    both = [_features(catalog.dataset(key), backbone, seed, told) for key in (first, second)]
    ours, theirs = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9) for one in both)
    pooled, random = np.concatenate([ours, theirs]), np.random.default_rng(seed)
    flat = _flat(pooled, max(1, min(len(ours), len(theirs), SAMPLES) // A_DIMENSION))
    found, *chance = [
        _measured(pooled[order], flat[order], len(ours))
        for order in (np.arange(len(pooled)), *(random.permutation(len(pooled)) for _ in range(SHUFFLES)))
    ]
    usual = np.percentile(chance, 95, axis=0)
    own = catalog.backbone(backbone).pretrained
    return {
        "a_distance": found[0],
        "mmd": found[1],
        "a_distance_chance": float(usual[0]),
        "mmd_chance": float(usual[1]),
        "pictures": [len(ours), len(theirs)],
        "weights": own.source if own else "",
    }


def _flat(pooled: np.ndarray, kept: int) -> np.ndarray:
    """The features in so many directions of most variance: fewer than there are samples, or a line parts anything."""
    centred = pooled.astype("float64") - pooled.mean(axis=0)
    projected: np.ndarray = centred @ np.linalg.svd(centred, full_matrices=False)[2][:kept].T
    return projected


def _measured(features: np.ndarray, flat: np.ndarray, count: int) -> tuple[float, float]:
    """Proxy A-distance and MMD squared between the first ``count`` rows and the others."""
    squared = discrepancy([features[:count].astype("float32")], [features[count:].astype("float32")])
    far = validators.apart(flat[:count], flat[count:])
    return far, max(0.0, float(keras.ops.convert_to_numpy(squared)))


def _features(dataset: Dataset, key: str, seed: int, told: Told) -> np.ndarray:
    """Features of the validation samples, which runs with this seed share, and of as many more as are needed."""
    split = splits.split(dataset, seed)
    backbone = catalog.backbone(key)
    rebuilt.ready(backbone.key)
    device.fix_seeds(seed)
    knowledge = Knowledge("random weights", f"random {seed}")
    if backbone.pretrained is not None:
        knowledge = Knowledge(backbone.pretrained.source, backbone.pretrained.identity, own=True)
    more = max(0, SAMPLES - len(split.validation))
    several = [split.validation.inputs]
    if more:
        several.append(split.train.take(np.arange(min(more, len(split.train)))).inputs)
    several = [modality(backbone.modality).read(one, backbone, backbone.size) for one in several]
    network = Network(backbone, several[0].shape[1:], backbone.size, knowledge)
    found = features.cached(network, list(network.names), several, told)
    return np.concatenate(found)[:SAMPLES].reshape(min(SAMPLES, sum(map(len, several))), -1)

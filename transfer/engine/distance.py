"""How far apart two data sets are to a network that has learned neither: proxy A-distance and MMD."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from transfer import catalog
from transfer.datasets import Dataset
from transfer.engine import data, device, features, validators
from transfer.engine.features import Told
from transfer.engine.network import Knowledge, Network
from transfer.strategies.mmd import discrepancy

PICTURES = 500
SHUFFLES = 20
A_DIMENSION = 8


def distance(first: str, second: str, backbone: str, seed: int, told: Told) -> dict[str, Any]:
    """Distances of the backbone's features, beside what chance alone would give.

    It misleads to read a small distance as a promise: the classes may still lie differently. With random weights
    (a backbone without its own) it compares little more than brightness and texture.

    Args:
        first: key of a data set.
        second: key of another.
        backbone: key; whose features, at its own picture size.
        seed: of splits and of random weights.
        told: called with (done, total) while features are computed.

    Returns:
        JSON-able: ``a_distance`` 0 to 2 and ``mmd`` 0 or more (squared, on features of length one), each with
        ``..._chance``, the 95th percentile over shuffles of the pictures; ``pictures`` of each.
    """
    both = [_features(catalog.dataset(key), backbone, seed, told) for key in (first, second)]
    ours, theirs = (one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9) for one in both)
    found = _measured(ours, theirs)
    pooled, random = np.concatenate([ours, theirs]), np.random.default_rng(seed)
    chance = []
    for _ in range(SHUFFLES):
        mixed = pooled[random.permutation(len(pooled))]
        chance.append(_measured(mixed[: len(ours)], mixed[len(ours) :]))
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


def _measured(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Proxy A-distance in the directions of most variance, fewer than there are pictures; and MMD squared."""
    both = np.concatenate([ours, theirs]).astype("float64")
    both -= both.mean(axis=0)
    kept = max(1, min(len(ours), len(theirs), 64 * A_DIMENSION) // A_DIMENSION)
    axes = np.linalg.svd(both, full_matrices=False)[2][:kept]
    flat = both @ axes.T
    squared = discrepancy([ours.astype("float32")], [theirs.astype("float32")])
    return validators.apart(flat[: len(ours)], flat[len(ours) :]), max(0.0, float(keras.ops.convert_to_numpy(squared)))


def _features(dataset: Dataset, key: str, seed: int, told: Told) -> np.ndarray:
    """Features of the validation pictures, which runs with this seed share, and of as many more as are needed."""
    split = data.split(dataset, seed)
    backbone = catalog.backbone(key)
    device.fix_seeds(seed)
    knowledge = Knowledge("random weights", f"random {seed}")
    if backbone.pretrained is not None:
        knowledge = Knowledge(backbone.pretrained.source, backbone.pretrained.identity, own=True)
    more = max(0, PICTURES - len(split.validation))
    several = [split.validation.inputs]
    if more:
        several.append(split.train.take(np.arange(min(more, len(split.train)))).inputs)
    network = Network(backbone, several[0].shape[1:], backbone.image_size, knowledge)
    found = features.cached(network, list(network.names), several, told)
    return np.concatenate(found)[:PICTURES].reshape(min(PICTURES, sum(map(len, several))), -1)

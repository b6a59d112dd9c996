"""The first training batch of an experiment, exactly as its network is given it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from transfer import catalog, modalities
from transfer.engine.inspect.rebuilt import target_split
from transfer.engine.samples.batches import batches
from transfer.experiment import Experiment
from transfer.modalities import modality

SHOWN = 16
FIRST = 1


def first_batch(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """Reads, augments and resizes the batch as the run's first step would.

    What is shown is what enters the backbone's first stage, of pictures pixels from 0 to 255; the network's own
    arithmetic (a mean taken away, say) comes after it and is part of the stage.

    Args:
        experiment: possible.
        folder: for what is shown as a picture, made when missing.

    Returns:
        JSON-able: ``labels`` in the batch's order, its ``shape``, the ``raw`` samples' shape, and what ``batch`` of
        the kind adds.
    """
    backbone = catalog.backbone(experiment.backbone)
    kind, split = modality(backbone.modality), target_split(experiment)
    samples = split.train
    if not len(samples):
        # Without target labels the batch is of unlabelled samples; there is no name to put under them.
        samples = type(samples)(split.unlabelled, np.full(len(split.unlabelled), -1))
    vary = kind if experiment.augment else None
    inputs, labels = next(iter(batches(samples, experiment.batch_size, [experiment.seed, FIRST], 0, 0, vary)))
    size = modalities.size(experiment, backbone)
    entered = kind.entrance(tuple(inputs.shape[1:]), size, backbone.channels)(inputs)
    given = np.asarray(keras.ops.convert_to_numpy(entered))
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "labels": ["" if label < 0 else split.classes[label] for label in labels.tolist()][:SHOWN],
        "shape": list(given.shape),
        "raw": list(inputs.shape[1:]),
        **modalities.looker(backbone.modality).batch(given, SHOWN, folder),
    }

"""The first training batch of an experiment, exactly as its network is given it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from transfer import catalog, modalities
from transfer.engine.inspect.rebuilt import target_split
from transfer.engine.samples.batches import batches
from transfer.experiment import Experiment
from transfer.modalities import modality
from transfer.modalities.image.look import tile

SHOWN, ACROSS, TILE, GAP = 16, 8, 112, 4
FIRST = 1


def first_batch(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """Reads, augments and resizes the batch as the run's first step would.

    What is drawn is what enters the backbone's first stage, pixels from 0 to 255; the network's own arithmetic
    (a mean taken away, say) comes after it and is part of the stage.

    Args:
        experiment: possible.
        folder: for ``batch.png``, made when missing.

    Returns:
        JSON-able: ``labels`` in the batch's order, its ``shape``, ``low``, ``high`` and ``mean`` of its pixels.
    """
    backbone = catalog.backbone(experiment.backbone)
    kind, split = modality(backbone.modality), target_split(experiment)
    samples = split.train
    if not len(samples):
        # Without target labels the batch is of unlabelled pictures; there is no name to put under them.
        samples = type(samples)(split.unlabelled, np.full(len(split.unlabelled), -1))
    vary = kind if experiment.augment else None
    inputs, labels = next(iter(batches(samples, experiment.batch_size, [experiment.seed, FIRST], 0, 0, vary)))
    size = modalities.size(experiment, backbone)
    entered = kind.entrance(tuple(inputs.shape[1:]), size, backbone.channels)(inputs)
    given = np.asarray(keras.ops.convert_to_numpy(entered))
    folder.mkdir(parents=True, exist_ok=True)
    _drawn(given[:SHOWN]).save(folder / "batch.png")
    return {
        "labels": ["" if label < 0 else split.classes[label] for label in labels.tolist()][:SHOWN],
        "shape": list(given.shape),
        "raw": list(inputs.shape[1:]),
        "low": float(given.min()),
        "high": float(given.max()),
        "mean": given.mean(axis=(0, 1, 2)).round(1).tolist(),
    }


def _drawn(given: np.ndarray) -> Image.Image:
    rows = -(-len(given) // ACROSS)
    step = TILE + GAP
    sheet = Image.new("RGBA", (step * min(ACROSS, len(given)) - GAP, step * rows - GAP))
    for place, picture in enumerate(np.clip(np.rint(given), 0, 255).astype("uint8")):
        sheet.paste(tile(picture, TILE), (place % ACROSS * step, place // ACROSS * step))
    return sheet

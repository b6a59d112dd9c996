"""How fast a backbone is on this machine: pictures a second through the whole network, at the size it is fed."""

from __future__ import annotations

import json
import platform
import time
from typing import Any

import keras
import numpy as np

from transfer import catalog, settings
from transfer.engine.inspect import rebuilt
from transfer.engine.loop import device
from transfer.modalities import modality

BATCH = 32
SECONDS = 2.0


def measure(key: str) -> dict[str, Any]:
    """Times the backbone and keeps what was found; its weights are not needed, only its shape.

    It misleads while a run trains beside: both get less of the machine then.

    Args:
        key: of a backbone.

    Returns:
        ``pictures_per_second`` forward, in batches of 32; ``image_size``; ``device`` and ``machine``.
    """
    backbone = catalog.backbone(key)
    rebuilt.ready(key)
    network = keras.Sequential(backbone.build(backbone.size))
    kind, shape = modality(backbone.modality), (backbone.size, backbone.size, backbone.channels)
    raw = kind.blank(BATCH, shape, backbone.size)
    samples = np.asarray(kind.entrance(raw.shape[1:], backbone.size, backbone.channels)(raw))
    network.predict_on_batch(samples)  # traced here
    batches, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < SECONDS or batches < 2:
        network.predict_on_batch(samples)
        batches += 1
    found = {
        "key": key,
        "pictures_per_second": batches * BATCH / taken,
        "image_size": backbone.size,
        "device": device.accelerator(),
        "machine": platform.node(),
    }
    settings.speed_file(key).write_text(json.dumps(found))
    return found

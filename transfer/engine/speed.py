"""How fast a backbone is on this machine: pictures a second through the whole network, at the size it is fed."""

from __future__ import annotations

import json
import platform
import time
from typing import Any

import keras
import numpy as np

from transfer import catalog, settings
from transfer.engine import device, inherited

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
    inherited.ready(key)
    network = keras.Sequential(backbone.build(backbone.image_size))
    shape = (BATCH, backbone.image_size, backbone.image_size, backbone.channels)
    pictures = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    network.predict_on_batch(pictures)  # traced here
    batches, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < SECONDS or batches < 2:
        network.predict_on_batch(pictures)
        batches += 1
    found = {
        "key": key,
        "pictures_per_second": batches * BATCH / taken,
        "image_size": backbone.image_size,
        "device": device.accelerator(),
        "machine": platform.node(),
    }
    settings.speed_file(key).write_text(json.dumps(found))
    return found

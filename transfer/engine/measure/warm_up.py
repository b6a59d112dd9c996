"""Does beforehand what a run's first batch would wait for."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from functools import partial

import keras
import numpy as np

import transfer.engine.train  # noqa: F401  (a standby is to have everything imported)
from transfer import catalog
from transfer.engine.loop.learner import Learner
from transfer.engine.loop.optimizers import optimizer
from transfer.engine.network import prebuilt
from transfer.engine.samples import cache
from transfer.strategies import Phase


def warm_up(waiting: Callable[[], object] = lambda: False) -> None:
    """Gets ready what a run needs at once: kernels, pools, the bundled data and networks.

    Args:
        waiting: asked before each part; a run that waits already is better served by doing it itself.
    """
    loading: list[Callable[[], object]] = [
        partial(cache.load, one) for one in catalog.datasets().values() if not one.download_mb
    ]
    loading.append(partial(importlib.import_module, "sklearn.neighbors"))
    for part in (_train_a_step, *loading, prebuilt.prepare):
        if waiting():
            break
        part()
    # What is here now stays: without it Keras' clear_session looks through all of TensorFlow for garbage, 0.3 s.
    gc.collect()
    gc.freeze()


def _train_a_step() -> None:
    """Trains a network of a few weights for one step."""
    inputs = keras.Input((8, 8, 1))
    flowing = keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 3)(inputs))
    flowing = keras.layers.Flatten()(keras.layers.MaxPooling2D()(keras.layers.ReLU()(flowing)))
    head = keras.layers.Dense(2)
    head.build((None, 18))
    learner = Learner([], [("one", keras.Model(inputs, flowing))], head, Phase("warm", 1, 1e-3, {"one": 1.0}))
    learner.compile(optimizer("adam", 1e-3, learner.rates()))
    samples = np.zeros((4, 8, 8, 1), "float32")
    learner.learn(samples, np.zeros(4, "int64"))
    learner.logits(samples)
    keras.backend.clear_session()

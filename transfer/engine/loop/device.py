"""What the run stands on: device, memory, versions, seeds."""

from __future__ import annotations

import gc
import importlib
import platform
import resource
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import keras
import numpy as np

RECORDED = ("tensorflow", "keras", "numpy", "scikit-learn", "transfer-lab")


def accelerator() -> str:
    """``"gpu"`` when the backend sees one, else ``"cpu"``."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        return "gpu" if tensorflow.config.list_physical_devices("GPU") else "cpu"
    if keras.backend.backend() == "jax":
        import jax

        return "cpu" if jax.default_backend() == "cpu" else "gpu"
    return "cpu"


def fix_seeds(seed: int) -> None:
    """Makes what follows depend on ``seed`` alone: names, initial weights, dropout, kernels.

    Seeds are global to the process, which is why a run has one to itself.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow" and accelerator() == "gpu":
        import tensorflow

        # On a CPU the kernels used here repeat themselves without it, and it slows the data down.
        tensorflow.config.experimental.enable_op_determinism()


def set_precision(precision: str) -> None:
    """``mixed`` computes in half precision and keeps weights, logits and losses in float32."""
    half = "mixed_float16" if accelerator() == "gpu" else "mixed_bfloat16"
    keras.mixed_precision.set_dtype_policy(half if precision == "mixed" else "float32")


def environment() -> dict[str, Any]:
    """Versions, device and machine, as they are recorded with a run."""
    versions = {}
    for package in RECORDED:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "machine": platform.node(),
        "backend": keras.backend.backend(),
        "device": accelerator(),
        "versions": versions,
    }


def peak_memory_mb() -> float:
    """The most main memory this process has held, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def warm_up(waiting: Callable[[], object] = lambda: False) -> None:
    """Does beforehand what a run's first batch would wait for: kernels, pools, the bundled data and networks.

    Args:
        waiting: asked before each part; a run that waits already is better served by doing it itself.
    """
    import transfer.engine.train  # noqa: F401  (a standby is to have everything imported)
    from transfer import catalog
    from transfer.engine.network import prebuilt
    from transfer.engine.samples import data

    loading: list[Callable[[], object]] = [
        partial(data.load, one) for one in catalog.datasets().values() if not one.download_mb
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
    from transfer.engine.loop.learner import Learner
    from transfer.engine.loop.optimizers import optimizer
    from transfer.strategies import Phase

    inputs = keras.Input((8, 8, 1))
    flowing = keras.layers.BatchNormalization()(keras.layers.Conv2D(2, 3)(inputs))
    flowing = keras.layers.Flatten()(keras.layers.MaxPooling2D()(keras.layers.ReLU()(flowing)))
    head = keras.layers.Dense(2)
    head.build((None, 18))
    learner = Learner([], [("one", keras.Model(inputs, flowing))], head, Phase("warm", 1, 1e-3, {"one": 1.0}))
    learner.compile(optimizer("adam", 1e-3, learner.rates()))
    pictures = np.zeros((4, 8, 8, 1), "float32")
    learner.learn(pictures, np.zeros(4, "int64"))
    learner.logits(pictures)
    keras.backend.clear_session()

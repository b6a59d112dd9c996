"""What the run stands on: device, memory, versions, seeds."""

from __future__ import annotations

import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import keras

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

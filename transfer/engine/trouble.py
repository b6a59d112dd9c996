"""Turns what the machine says when something runs out into words for the person who watches."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from transfer.errors import DiskFull, OutOfMemory
from transfer.experiment import Experiment


@contextmanager
def in_words(experiment: Experiment) -> Iterator[None]:
    """Raises `OutOfMemory` or `DiskFull` in place of the backend's own exceptions.

    Anything else passes through: it is a bug and keeps its traceback.
    """
    try:
        yield
    except Exception as problem:
        if isinstance(problem, MemoryError) or _ran_out(problem):
            raise OutOfMemory(
                "The device ran out of memory.",
                f"batch_size {experiment.batch_size}, image_size {experiment.image_size or 'of the backbone'}",
                f"Lower batch_size (to {max(1, experiment.batch_size // 2)}, say), then image_size, "
                "or choose a smaller backbone.",
            ) from problem
        if isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "The disk is full.",
                problem.filename,
                "Free some space, or set TRANSFER_HOME to another disk; then resume.",
            ) from problem
        raise


def _ran_out(problem: Exception) -> bool:
    # TensorFlow and JAX each raise a class of their own; the status' name is what they share.
    words = f"{type(problem).__name__} {problem}"
    return "ResourceExhausted" in words or "RESOURCE_EXHAUSTED" in words

"""The lab: the record of runs, the queue, and the processes that work on it. Nothing here imports TensorFlow."""

from __future__ import annotations

from transfer.lab.lab import Lab
from transfer.lab.records import Run, StoredEvent

__all__ = ["Lab", "Run", "StoredEvent"]

"""Where the lab keeps its state and how it behaves: read from the environment, once a call.

All state lies in one folder, so that removing it removes everything.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder of all state, ``TRANSFER_HOME`` or the user's data directory; made when missing."""
    folder = Path(os.environ.get("TRANSFER_HOME") or platformdirs.user_data_dir("transfer-lab"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def store_url() -> str:
    """SQLAlchemy URL of the store, ``TRANSFER_STORE`` or SQLite inside `home`."""
    return os.environ.get("TRANSFER_STORE") or f"sqlite:///{home() / 'lab.sqlite'}"


def cache(kind: str) -> Path:
    """A folder for what can be computed again (``data``, ``features``, ``sources``); made when missing."""
    folder = home() / "cache" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_folder(run: str) -> Path:
    """The folder of one run's files: checkpoint, best weights, predictions; not made here."""
    return home() / "runs" / run


def runs_per_device() -> int:
    """How many runs share a device, ``TRANSFER_RUNS_PER_DEVICE``, at least and by default 1."""
    return max(1, int(os.environ.get("TRANSFER_RUNS_PER_DEVICE", "1")))


def standby() -> bool:
    """Whether a process with TensorFlow imported waits for the next run, ``TRANSFER_STANDBY`` (1 or 0)."""
    return os.environ.get("TRANSFER_STANDBY", "1") != "0"

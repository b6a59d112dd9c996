"""Every test has a lab of its own, and Keras without its chatter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from transfer.lab import Lab, spawner

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TRANSFER_HOME that no other test has touched."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TRANSFER_HOME", str(folder))
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that starts no worker by itself."""
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    # The tests start workers of their own.
    monkeypatch.setattr(spawner.Spawner, "ensure", lambda self, waiting: None)
    return Lab()

"""Every test has a lab of its own, and Keras without its chatter."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TRANSFER_HOME that no other test has touched."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TRANSFER_HOME", str(folder))
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    return folder

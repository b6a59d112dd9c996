"""Every test has a lab of its own, and Keras without its chatter."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from transfer import elsewhere
from transfer.backbones import saved, saved_model
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
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of one's own are looked into in this process, which saves the start of another."""
    monkeypatch.setattr(saved, "asked", elsewhere.here)
    monkeypatch.setattr(saved_model, "asked", elsewhere.here)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab that starts no worker by itself."""
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    # The tests start workers of their own.
    monkeypatch.setattr(spawner.Spawner, "ensure", lambda self, waiting: None)
    return Lab()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served; that server knows no ranges."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(folder))  # type: ignore[arg-type]  # as they came

        def log_message(self, *given: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://localhost:{server.server_port}/"
    server.shutdown()

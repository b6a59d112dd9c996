"""Every test has a lab of its own, and Keras without its chatter."""

from __future__ import annotations

import functools
import gc
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pages.parts.choose import class_counts
from tests import tiny
from tests.served import Server
from tests.served import served as serving
from transfer import separate_process
from transfer.backbones import own_file, saved_model
from transfer.lab import Lab, spawner

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tiny networks gain nothing from threads, and each process of the suite would have as many as there are cores.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
_COUNT = class_counts._count


# What takes longest begins first, so that no process is left alone with it at the end.
LONGEST = ("browser", "test_strategies", "test_adapting", "test_train", "test_backbones", "test_network_forms")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the files that take longest first; xdist hands them out in this order."""

    def place(item: pytest.Item) -> int:
        return next((at for at, name in enumerate(LONGEST) if name in item.path.stem), len(LONGEST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file stays in one process, for its tests share what they learned; so do all files that use a browser.

    For those one app is served. (xdist's own loadgroup does nothing under pytest 9.2.)
    """
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "browser" if "browser" in file else file

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TRANSFER_HOME that no other test has touched."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TRANSFER_HOME", str(folder))
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    return folder


@pytest.fixture(scope="module")
def world() -> Iterator[None]:
    """The tiny data sets and the tiny network are in the catalog."""
    with pytest.MonkeyPatch.context() as patch:
        tiny.add(patch)
        tiny.quick()
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for all that is tried in a browser: a start costs as much as many a test.

    No process with TensorFlow waits for the next run or measures one beforehand: each would be another import.
    """
    with serving(tmp_path_factory.mktemp("app") / "home", TRANSFER_STANDBY="0", TRANSFER_ESTIMATES="0") as started:
        yield started


@pytest.fixture
def app(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The app, whose TRANSFER_HOME is this process's too; other tests' runs are there already."""
    monkeypatch.setenv("TRANSFER_HOME", str(server.home))
    return server


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of one's own are looked into in this process, which saves the start of another."""
    monkeypatch.setattr(own_file, "asked", separate_process.here)
    monkeypatch.setattr(saved_model, "asked", separate_process.here)


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


@functools.cache
def _counted(key: str) -> class_counts.Counts | None:
    return _COUNT(key)


@pytest.fixture(autouse=True)
def counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classes of a published data set are counted once, whatever the home; each time takes a process."""
    monkeypatch.setattr(class_counts, "_count", lambda key: _COUNT(key) if ":" in key or "~" in key else _counted(key))


@pytest.fixture(autouse=True)
def collected_once() -> Iterator[None]:
    """Keeps what a test leaves from the garbage collector, which Keras has look through everything before a run.

    With TensorFlow imported that takes 0.3 s each time; and of each run TensorFlow keeps one graph for good.
    """
    yield
    if len(gc.get_objects()) > 50_000:
        gc.collect()
        gc.freeze()

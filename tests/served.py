"""The app as a person meets it: served on a port of its own and opened in a real browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parent.parent
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]
QUIET += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]  # a camera, allowed
POINTS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(one => one._fullData || [])
    .reduce((sum, trace) => sum + (trace.mode && trace.x ? trace.x.length : 0), 0)"""


def chromium() -> str | None:
    """Where the machine's browser is."""
    return next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


class Server:
    """One Streamlit process on one TRANSFER_HOME."""

    def __init__(self, home: Path, port: int = 0, **environment: str) -> None:
        self.home, self.port = home, port or free_port()
        self.url = f"http://localhost:{self.port}"
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [*command, "--server.headless", "true"],
            cwd=ROOT,
            env={**os.environ, "TRANSFER_HOME": str(home), **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).read()
                break
            except OSError:
                if time.perf_counter() - self.started > 60:
                    raise
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def workers(home: Path) -> list[psutil.Process]:
    """The lab's processes on this TRANSFER_HOME."""
    found = []
    for process in psutil.process_iter():
        try:
            if "transfer" in process.cmdline() and process.environ().get("TRANSFER_HOME") == str(home):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@contextmanager
def served(home: Path, **environment: str) -> Iterator[Server]:
    """A server that leaves no process behind."""
    server = Server(home, **environment)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
        for process in workers(home):
            with_children = [process, *process.children(recursive=True)]
            for one in with_children:
                one.kill()


@contextmanager
def browser() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            yield opened
        finally:
            opened.close()


def points(page: Any) -> int:
    """Points on the page's charts, lines for chance and the like not counted."""
    return int(page.evaluate(POINTS))

"""Unique identities of processes: process numbers alone are reused."""

from __future__ import annotations

import functools
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from transfer import settings

# The kernel's record of a process's start may be corrected while the process runs.
_SAME_START = 2.0
_LOGS_KEPT = 20

# A worker prints this once it has imported everything; one that ends earlier failed to start.
READY = "ready on"


@dataclass(frozen=True)
class Identity:
    """A process on a host; its start time distinguishes it from a later one with the same number.

    Args:
        host: the machine's name.
        pid: its process number there.
        created: its start time, Unix time in seconds.
    """

    host: str
    pid: int
    created: float

    @property
    def token(self) -> str:
        """The identity as one word, stored with the runs that belong to the process."""
        return f"{self.host}/{self.pid}/{self.created:.2f}"

    @property
    def here(self) -> bool:
        """Whether the process belongs to this machine, so that it can be checked."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether the process is still running; false for a zombie. Only valid for a process `here`."""
        return find(self) is not None


def myself() -> Identity:
    """This process."""
    return _identity(os.getpid())


@functools.lru_cache(maxsize=1)
def _identity(pid: int) -> Identity:
    return Identity(socket.gethostname(), pid, psutil.Process(pid).create_time())


def find(who: Identity) -> psutil.Process | None:
    """The running process with that identity on this machine, or None."""
    try:
        process = psutil.Process(who.pid)
        gone = abs(process.create_time() - who.created) > _SAME_START or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return None if gone else process


@dataclass(frozen=True)
class Child:
    """A process of the lab that this process has started."""

    process: subprocess.Popen[bytes]
    log: Path
    started: float


def spawn_worker(slot: str) -> Child:
    """Starts a worker that outlives this process."""
    return spawn("worker", "--slot", slot)


def spawn(kind: str, *arguments: str) -> Child:
    """Starts ``python -m transfer KIND``, which outlives this process; its output goes to a file under ``logs``."""
    folder = settings.home() / "logs"
    folder.mkdir(exist_ok=True)
    for old in sorted(folder.glob(f"{kind}-*.log"))[:-_LOGS_KEPT]:
        old.unlink(missing_ok=True)
    log = folder / f"{kind}-{time.time_ns() // 1_000_000}-{os.getpid()}.log"
    command = [sys.executable, "-m", "transfer", kind, *arguments]
    with log.open("ab") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path()), "PYTHONUNBUFFERED": "1"},
        )
    return Child(process, log, time.monotonic())


def import_path() -> list[str]:
    """The path under which the worker finds this copy of the lab, whatever folder it is started from."""
    package = str(Path(__file__).resolve().parents[2])
    inherited = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one and one != package]
    return [package, *inherited]

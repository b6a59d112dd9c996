"""Keeps workers ready, and stops trying if they keep dying."""

from __future__ import annotations

import functools
import threading
import time
from pathlib import Path

from transfer import settings
from transfer.lab import devices, locks
from transfer.lab.process import READY, Child, spawn_worker

_DEATHS = 3
_PAUSE_SECONDS = 30.0
_STARTING_SECONDS = 3.0
_TAIL = 1_500


class Spawner:
    """Starts workers for one home; `spawner` gives the one this process shares."""

    def __init__(self) -> None:
        self._children: dict[str, Child] = {}
        self._deaths = 0
        self._trouble = ""
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    @property
    def trouble(self) -> str:
        """Why no worker starts, with the end of its log; empty if all is well."""
        with self._lock:
            self._reap()
            return self._trouble

    def ensure(self, waiting: int) -> None:
        """A worker for every idle slot when they are to stand by, else for as many as runs wait."""
        with self._lock:
            self._reap()
            wanted = len(devices.slots()) if settings.standby() else waiting
            if wanted and time.monotonic() >= self._quiet_until:
                for slot in devices.slots():
                    wanted -= self._start(slot) if wanted > 0 else 0

    def _start(self, slot: str) -> bool:
        """Whether a worker is on its way or waits for the slot; one is started when nobody uses it."""
        child = self._children.get(slot)
        # It takes Python some tenths of a second to get to where the child takes its lock.
        if child and time.monotonic() - child.started < _STARTING_SECONDS:
            return True
        if not locks.free(locks.standby_lock(slot)):
            return True
        if not locks.free(locks.device_lock(slot)):
            return False
        try:
            self._children[slot] = spawn_worker(slot)
        except OSError as problem:
            self._quiet_until = time.monotonic() + _PAUSE_SECONDS
            self._trouble = f"The system started no worker: {problem}. The next try is in {_PAUSE_SECONDS:.0f} s."
            return False
        return True

    def _reap(self) -> None:
        """Collects children that have ended, which else stay as zombies, and counts those that never got ready."""
        for slot, child in list(self._children.items()):
            code = child.process.poll()
            if code is None and not self._deaths:
                continue
            log = _log_of(child)
            if READY in log:
                self._deaths, self._trouble = 0, ""
            elif code:
                self._count_death(code, child, log)
            if code is not None:
                del self._children[slot]

    def _count_death(self, code: int, child: Child, log: str) -> None:
        self._deaths += 1
        if self._deaths >= _DEATHS:
            self._quiet_until = time.monotonic() + _PAUSE_SECONDS
            self._trouble = (
                f"No worker comes up: {self._deaths} in a row ended with status {code} before they were ready. "
                f"The next try is in {_PAUSE_SECONDS:.0f} s. The last one's words ({child.log}):\n{log[-_TAIL:]}"
            )


def _log_of(child: Child) -> str:
    try:
        return child.log.read_text(errors="replace")
    except OSError:
        return ""


@functools.cache
def spawner(home: Path) -> Spawner:
    """The spawner of a home, one in a process however many `Lab`s it makes."""
    return Spawner()

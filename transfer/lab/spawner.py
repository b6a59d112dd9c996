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
    """Starts workers for one home; `spawner` returns the one that this process shares."""

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
        """Starts a worker for every idle slot if workers stand by, otherwise only as many as runs are waiting."""
        with self._lock:
            self._reap()
            wanted = len(devices.slots()) if settings.standby() else waiting
            if wanted and time.monotonic() >= self._quiet_until:
                for slot in devices.slots():
                    wanted -= self._start(slot) if wanted > 0 else 0

    def _start(self, slot: str) -> bool:
        """Whether a worker is starting or waiting for the slot; starts one if nobody uses the slot."""
        child = self._children.get(slot)
        # It takes Python a few tenths of a second until the child acquires its lock.
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
            self._trouble = f"The system could not start a worker: {problem}. Next attempt in {_PAUSE_SECONDS:.0f} s."
            return False
        return True

    def _reap(self) -> None:
        """Collects ended children, which would otherwise stay as zombies; counts those that never got ready."""
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
                f"Workers fail to start: {self._deaths} in a row ended with status {code} before they were ready. "
                f"Next attempt in {_PAUSE_SECONDS:.0f} s. Output of the last one ({child.log}):\n{log[-_TAIL:]}"
            )


def _log_of(child: Child) -> str:
    try:
        return child.log.read_text(errors="replace")
    except OSError:
        return ""


@functools.cache
def spawner(home: Path) -> Spawner:
    """The spawner of a home, one per process however many `Lab`s it creates."""
    return Spawner()

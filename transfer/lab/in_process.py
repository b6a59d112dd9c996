"""Runs an experiment in the command line's own process."""

from __future__ import annotations

import time
from collections.abc import Callable

from filelock import FileLock

from transfer.engine.events import Event
from transfer.lab import devices, locks
from transfer.lab.lab import Lab
from transfer.lab.process import myself
from transfer.lab.worker import run_claimed

_POLL_SECONDS = 0.1
_LOOK_AFRESH_SECONDS = 2.0


def run_here(lab: Lab, run: str, listen: Callable[[Event], None], say: Callable[[str], None]) -> str:
    """Waits for a free device and runs a run that is reserved for this process.

    Args:
        lab: the lab in which the run is queued.
        run: its id.
        listen: called with every event.
        say: called with a sentence if it has to wait.

    Returns:
        The state it ended in; ``discarded`` if it was removed. Ctrl-C pauses it.
    """
    lab.register()
    try:
        got = _free_slot(lab, run, say)
    except KeyboardInterrupt:
        lab.pause(run)
        return "paused"
    if got is None:
        found = lab.store.run(run)
        return found.state if found else "discarded"
    slot, lock = got
    try:
        devices.prepare(slot)
        claimed = lab.store.claim(myself(), devices.device_of(slot), only=run)
        if claimed is not None:
            return run_claimed(lab.store, claimed, listen)
    finally:
        lock.release()
    found = lab.store.run(run)
    return found.state if found else "discarded"


def _free_slot(lab: Lab, run: str, say: Callable[[str], None]) -> tuple[str, FileLock] | None:
    """The first slot that becomes free, with its lock acquired; None if the run was taken out of the queue."""
    slots = {slot: locks.device_lock(slot) for slot in devices.slots()}
    waited = 0.0
    while True:
        for slot, lock in slots.items():
            if locks.take(lock):
                return slot, lock
        # A page that checks whether a device is idle holds its lock for an instant; too short to report a wait.
        if 0.3 <= waited < 0.3 + _POLL_SECONDS:
            say(f"Waiting: another run is training on {', '.join(slots)}.")
        time.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS
        if round(waited / _POLL_SECONDS) % round(_LOOK_AFRESH_SECONDS / _POLL_SECONDS) == 0:
            found = lab.store.run(run)
            if found is None or found.state != "queued":
                return None

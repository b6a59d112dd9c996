"""The process that trains: waits with TensorFlow imported, takes one run, carries it out, hands over, ends.

One run, one process: Keras' seeds belong to the process, and TensorFlow gives a graphics card's
memory back only when its process ends.
"""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any, Literal

from filelock import FileLock
from sqlalchemy.exc import OperationalError

from transfer import settings
from transfer.engine.events import Event, Note, Stage
from transfer.errors import DataChanged, DiskFull, LabError, NewerCheckpoint
from transfer.lab import devices, discarding, locks
from transfer.lab.database import is_busy
from transfer.lab.process import READY, Identity, myself, spawn_worker
from transfer.lab.recorder import Recorder
from transfer.lab.records import Run, State
from transfer.lab.store import Store

_POLL_SECONDS = 0.05
_LOOK_AROUND_SECONDS = 1.0
_LONELY_SECONDS = 20.0
_IDLE_SECONDS = 2.0
_FINISH_TRIES = 20
_HAND_OVER_SECONDS = 3.0
_TOLD_TO_GO = (signal.SIGTERM, signal.SIGINT)
Ending = tuple[State | Literal["discarded"], dict[str, Any], dict[str, Any], str]


class Leave(BaseException):
    """The standby is told to go, or has nobody left to wait for; no import that is under way may swallow it."""


def work(slot: str | None = None) -> None:
    """Runs a worker. Ends at once if another one is already waiting for the slot.

    Args:
        slot: a place on a device, see `devices.slots`; None for the first that nobody waits for.
    """
    began = time.monotonic()
    for name in [slot] if slot else devices.slots():
        standby = locks.standby_lock(name)
        # A page that looks whether anybody waits holds the lock for an instant.
        if locks.take(standby, 0.3):
            break
    else:
        return
    _leave_when_told()
    told: list[int] = []
    store, device = Store(), locks.device_lock(name)
    try:
        _import_engine(name, store)
        print(f"{READY} {name} after {time.monotonic() - began:.1f} s", flush=True)
        run = _wait_for_a_run(store, name, standby, device, told)
    except Leave as reason:
        print(f"left: {reason}", flush=True)
        return
    standby.release()
    print(f"run {run.id}", flush=True)
    ended = run_claimed(store, run, told=told)
    print(f"run {run.id}: {ended}", flush=True)
    if settings.standby() or store.waiting():
        _hand_over(name)


def run_claimed(store: Store, run: Run, listen: Callable[[Event], None] | None = None, told: Sequence[int] = ()) -> str:
    """Trains a run that this process has claimed, and records everything; returns the state it ended in.

    SIGTERM and the first SIGINT pause it with a checkpoint; a second SIGINT aborts it.
    To be called in the main thread, once in a process.

    Args:
        store: where the run is recorded.
        run: what `Store.claim` gave.
        listen: called with every event.
        told: signals that came since the run was claimed.
    """
    recorder = Recorder(store, run, listen)

    def pause(number: int, _frame: object) -> None:
        recorder.ask("pause")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if number == signal.SIGINT and listen:
            listen(Note("Pausing with a checkpoint. Press Ctrl-C again to abort."))

    before = {number: signal.signal(number, pause) for number in _TOLD_TO_GO}
    for number in told:
        pause(number, None)
    try:
        return _write_ending(store, run, _recorded(recorder, run))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _recorded(recorder: Recorder, run: Run) -> Ending:
    """The ending of a run, once all its events are written."""
    try:
        with recorder:
            ending = _train(recorder, run)
    except LabError as problem:
        return "failed", {}, {}, str(problem)
    except Exception:  # noqa: BLE001  # the last events could not be written: a finished run must not look whole
        print(traceback.format_exc(), flush=True)
        return "failed", {}, {}, traceback.format_exc()
    return ending


def _train(recorder: Recorder, run: Run) -> Ending:
    try:
        recorder.emit(Stage("starting" if "keras" in sys.modules else "starting TensorFlow"))
        from transfer.engine.train import train

        folder = settings.run_folder(run.id)
        result = train(run.experiment, emit=recorder.emit, should_stop=recorder.should_stop, folder=folder)
    except (DataChanged, NewerCheckpoint) as problem:
        # Once the pictures are as they were, or with the newer version, it can go on.
        return "paused", {}, {}, str(problem)
    except LabError as problem:
        return "failed", {}, {}, str(problem)
    except KeyboardInterrupt:
        return "interrupted", {}, {}, ""
    except Exception:  # noqa: BLE001  # a bug: its traceback is what the run's page shows
        print(traceback.format_exc(), flush=True)
        return "failed", {}, {}, traceback.format_exc()
    return result.state, result.metrics, result.environment, ""


def _write_ending(store: Store, run: Run, ending: Ending) -> str:
    """The state that was written. If writing fails, the run shows as interrupted once this process is gone."""
    state, metrics, environment, error = ending
    for _ in range(_FINISH_TRIES):
        try:
            if state == "discarded" or not store.finish(run, state, metrics, environment, error):
                return _discard_if_asked(store, run) or state
            return state
        except DiskFull:
            time.sleep(0.25)
        except OperationalError as problem:
            if not is_busy(problem):
                raise
    return "interrupted"


def _discard_if_asked(store: Store, run: Run) -> str:
    """Removes a run that is to be discarded, even if that was asked at the very moment it ended."""
    now = store.run(run.id)
    if now is None or now.wish != "discard" or now.reserved != run.reserved:
        return ""
    try:
        discarding.finish(store, now)
    except LabError as problem:
        print(f"run {run.id}: {problem}", flush=True)  # it stays marked: `Lab.reconcile` tries again
    return "discarded"


def _import_engine(slot: str, store: Store) -> None:
    devices.prepare(slot)
    from transfer.engine import train  # noqa: F401  # the import is what takes seconds
    from transfer.engine.device import warm_up

    warm_up(store.waiting)


def _wait_for_a_run(store: Store, slot: str, standby: FileLock, device: FileLock, told: list[int]) -> Run:
    """Checks the queue twenty times a second until a run is claimed; the device's lock is then held."""
    lonely_since, looked = time.monotonic(), 0.0
    patience = _LONELY_SECONDS if settings.standby() else _IDLE_SECONDS
    while True:
        now = time.monotonic()
        if store.waiting():
            lonely_since = now
            run = _claim(store, slot, device, told)
            if run is not None:
                return run
        elif now - looked > _LOOK_AROUND_SECONDS:
            looked = now
            if settings.standby() and _somebody_home(store):
                lonely_since = now
            if not locks.lock_file(standby).exists():
                raise Leave("the lab's folder is gone")
        if now - lonely_since > patience:
            raise Leave("nobody is there who could start a run")
        time.sleep(_POLL_SECONDS)


def _claim(store: Store, slot: str, device: FileLock, told: list[int]) -> Run | None:
    """Claims a run. Whoever is told to go from then on is to pause that run: the signals are kept for `run_claimed`."""
    if not locks.take(device):
        return None
    run = None
    for number in _TOLD_TO_GO:
        signal.signal(number, lambda number, _frame: told.append(number))
    try:
        run = store.claim(myself(), devices.device_of(slot))
    finally:
        if run is None:
            _leave_when_told()
            device.release()
    if run is None and told:
        raise Leave("it was told to")
    return run


def _hand_over(slot: str) -> None:
    """Starts the next worker and waits until it holds its lock, so that no page starts another one."""
    spawn_worker(slot)
    standby, latest = locks.standby_lock(slot), time.monotonic() + _HAND_OVER_SECONDS
    while locks.free(standby) and time.monotonic() < latest:
        time.sleep(_POLL_SECONDS)


def _somebody_home(store: Store) -> bool:
    """Whether an app or command line is alive on this machine; dead ones are forgotten."""
    here: list[Identity] = [one for one in store.apps() if one.here]
    for one in here:
        if not one.alive:
            store.remove_app(one)
    return any(one.alive for one in here)


def _leave_when_told() -> None:
    for number in _TOLD_TO_GO:
        signal.signal(number, _leave)


def _leave(_number: int, _frame: object) -> None:
    raise Leave("it was told to")

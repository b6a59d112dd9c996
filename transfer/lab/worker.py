"""The process that trains: waits with TensorFlow imported, claims one run, carries it out, hands over, ends.

One process per run: Keras' seeds belong to the process, and TensorFlow releases a graphics card's
memory only when its process ends.
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
    """The standby was told to end, or nobody needs it any more; an import in progress must not swallow this."""


def work(slot: str | None = None) -> None:
    """Runs a worker. Ends at once if another one is already waiting for the slot.

    Args:
        slot: a slot of a device, see `devices.slots`; None for the first without a waiting worker.
    """
    began = time.monotonic()
    for name in [slot] if slot else devices.slots():
        standby = locks.standby_lock(name)
        # A page that checks whether a worker is waiting holds the lock for an instant.
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
    Call it in the main thread, once per process.

    Args:
        store: where the run is recorded.
        run: the run that `Store.claim` returned.
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
    """How a run ended, once all its events have been written."""
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
        # It can continue once the pictures are restored, or with the newer version.
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
    """The state that was written. If writing fails, the run counts as interrupted once this process is gone."""
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
    """Removes a run that is to be discarded, even if this was requested at the very moment it ended."""
    now = store.run(run.id)
    if now is None or now.wish != "discard" or now.reserved != run.reserved:
        return ""
    try:
        discarding.finish(store, now)
    except LabError as problem:
        print(f"run {run.id}: {problem}", flush=True)  # it stays marked, so `Lab.reconcile` tries again
    return "discarded"


def _import_engine(slot: str, store: Store) -> None:
    devices.prepare(slot)
    from transfer.engine import train  # noqa: F401  # the import is what takes seconds
    from transfer.engine.measure.warm_up import warm_up

    warm_up(store.waiting)


def _wait_for_a_run(store: Store, slot: str, standby: FileLock, device: FileLock, told: list[int]) -> Run:
    """Checks the queue twenty times a second until a run is claimed; then holds the device's lock."""
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
            raise Leave("no app is left that could start a run")
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
    """Starts the next worker and waits until it has acquired its lock, so that no page starts another one."""
    spawn_worker(slot)
    standby, latest = locks.standby_lock(slot), time.monotonic() + _HAND_OVER_SECONDS
    while locks.free(standby) and time.monotonic() < latest:
        time.sleep(_POLL_SECONDS)


def _somebody_home(store: Store) -> bool:
    """Whether an app or command line is alive on this machine; unregisters dead ones."""
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

"""The Lab: the interface of pages and the command line to stores and workers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import psutil

from transfer import catalog, ids, network_files, settings
from transfer.errors import LabError, RequestError, UnknownKey
from transfer.experiment import Experiment
from transfer.lab import discarding, history, lineage
from transfer.lab.devices import gpu_meters
from transfer.lab.outlines import Outlines
from transfer.lab.process import Identity, find, myself
from transfer.lab.races import Races
from transfer.lab.records import LIVE, Run, StoredEvent
from transfer.lab.remarks import Remarks
from transfer.lab.sources import learned
from transfer.lab.spawner import spawner
from transfer.lab.store import Store
from transfer.lab.summary import Summary
from transfer.seen import record

if TYPE_CHECKING:
    import pandas as pd

_SILENT_SECONDS = 60.0
CHECKPOINT = "checkpoint.npz"
_REGISTER_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Lab:
    """Runs experiments and keeps track of all runs. Cheap to create; its methods may be called from any thread.

    Several labs, in one or many processes, may share a home: they see the same runs, and no run is
    started twice.

    Args:
        store: the record of runs; None for the one in the settings.
    """

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or Store()
        self.races = Races(self.store, self.tend)
        self.remarks = Remarks(self.store)
        self.summary = Summary(self.store, self.remarks)
        self.outlines = Outlines(self.store)
        self._registered = -_REGISTER_SECONDS
        self._meters: dict[Identity, psutil.Process] = {}
        self._lock = threading.Lock()

    # Asking for runs ----------------------------------------------------------------------------

    def submit(self, experiment: Experiment, reserved: Identity | None = None) -> str:
        """Queues an experiment and makes sure there is a worker; returns the run's id.

        Args:
            experiment: the experiment to run.
            reserved: the process that will run it itself; None for any worker.

        Raises:
            RequestError: the choices do not work together; nothing has been written.
        """
        catalog.check(experiment)
        lineage.check_parents(experiment)
        run = self.store.add_run(experiment, reserved)
        network_files.record(settings.run_folder(run), experiment)
        if reserved is None:
            self.tend()
        return run

    def resume(self, run: str, reserved: Identity | None = None) -> None:
        """Queues a paused or interrupted run again: it keeps its id and continues from its checkpoint.

        Raises:
            RequestError: the run is in another state, its experiment is no longer possible, or the content of its
                network's file has changed.
            DataChanged: its pictures have changed since it began.
        """
        found = self.run(run)
        catalog.check(found.experiment)
        if found.resumable:
            self._unchanged(run)
        network_files.check(settings.run_folder(run))
        if not self.store.requeue(run, reserved):
            raise RequestError("Only a paused or interrupted run can be resumed.", found.state, "Run it again instead.")
        self.remarks.restore([run])  # otherwise it would vanish ten minutes after it was removed
        if reserved is None:
            self.tend()

    def _unchanged(self, run: str) -> None:
        """Raises `DataChanged` if a run's pictures are known to have changed since it began."""
        folder = settings.run_folder(run)
        if not any(folder.rglob(CHECKPOINT)):
            return  # it starts over, so its pictures may have changed
        for role in ("target", "source"):
            made = record.read(folder, role)
            if made is not None and (words := record.since(made, catalog.datasets(), sure=True)):
                raise record.refuse(made, words)

    def pause(self, run: str) -> None:
        """Asks a run to stop with a checkpoint; one that is still queued is paused at once."""
        self._end(run, "pause")

    def stop(self, run: str) -> None:
        """Asks a run to end early and test its best epoch so far; one that is still queued ends at once."""
        self._end(run, "stop")

    def discard(self, run: str) -> None:
        """Removes a run, its events and its files; a running one is stopped first.

        If other runs were built on it, its files stay until the last of those is discarded too: their networks may
        need them.

        Raises:
            UnknownKey: there is no such run.
            LabError: its files lie outside the lab's home, or the system does not let them be removed.
        """
        found = self.run(run)
        discarding.check(run)
        while not self.store.wish(run, "discard"):
            # It is not running, so nobody uses its files; if it is being claimed at this moment, it is asked instead.
            if discarding.discard(self.store, found, unless=("running",)):
                break
            now = self.store.run(run)
            if now is None or now.wish == "discard":
                break
        self.reconcile()

    def _end(self, run: str, wish: str) -> None:
        found = self.run(run)
        if found.state == "queued" and self.store.change(
            found, "paused" if wish == "pause" else "stopped", reserved=None, ended=found.started
        ):
            return
        if not self.store.wish(run, wish) and self.run(run).wish != "discard":
            remedy = "Resume or discard it." if found.resumable else ""
            raise RequestError(f"Only a queued or running run can be asked to {wish}.", self.run(run).state, remedy)

    # Looking at runs ----------------------------------------------------------------------------

    def run(self, run: str) -> Run:
        """The run with that id; raises `UnknownKey` with the nearest one."""
        found = self.store.run(run)
        if found is None:
            raise UnknownKey("run", ids.shown(run), [one.id for one in self.store.runs(limit=50)])
        return found

    def runs(self, limit: int = 200) -> list[Run]:
        """The newest runs, newest first."""
        return self.store.runs(limit)

    def descendants(self, run: str) -> list[Run]:
        """All runs built on a run, directly or through others: with its network as backbone or as teacher.

        Ask this before a run is discarded. Finished runs lose nothing; see `lineage.descendants`.
        """
        return lineage.descendants(self.store, run)

    def live(self) -> list[Run]:
        """The queued and running runs, oldest first."""
        return self.store.live()

    def events(self, run: str, after: int = 0) -> list[StoredEvent]:
        """A run's events after number ``after``, in order."""
        return self.store.events(run, after)

    def history(self, run: str) -> pd.DataFrame:
        """One row per point: n, split, domain, phase, epoch, step, seconds, and one column per value.

        Points that a resumed attempt repeated appear once, with their latest values.
        """
        return history.table(self.store.events(run, kinds=history.KINDS))

    def meters(self, run: Run) -> dict[str, float]:
        """What the run's process uses: ``cpu_percent`` (100 is one core), ``memory_mb`` and, on a graphics card,
        ``gpu_percent``, ``gpu_memory_mb``, ``gpu_memory_total_mb``; empty when it is gone or on another machine.
        """
        if run.worker is None or run.state != "running" or not run.worker.here:
            return {}
        with self._lock:
            process = self._meters.get(run.worker) or find(run.worker)
            if process is None:
                return {}
            # psutil measures the load since the last query of the same object.
            self._meters = {run.worker: process} | {who: one for who, one in self._meters.items() if one.is_running()}
        try:
            used = {"cpu_percent": process.cpu_percent(), "memory_mb": round(process.memory_info().rss / 2**20, 1)}
        except psutil.Error:
            return {}
        return used | gpu_meters(run.device, run.worker.pid)

    def source_learned(self, experiment: Experiment) -> bool:
        """Whether the experiment's source has already been trained on, with its network and seed."""
        return learned(self.store, experiment)

    # Housekeeping ------------------------------------------------------------------------------

    def tend(self) -> None:
        """Keeps the lab going: registers this process, marks dead runs, keeps workers ready.

        Call it about once a second while the lab is shown; it takes a few milliseconds if there
        is nothing to do.
        """
        self.register()
        self.reconcile()
        spawner(settings.home()).ensure(self.store.waiting())

    def worker_trouble(self) -> str:
        """Why no worker starts, with the end of its log; empty if all is well."""
        return spawner(settings.home()).trouble

    def register(self) -> None:
        """Tells workers that an app is running, so that they stand by."""
        # Repeatedly, because the store may have been moved away meanwhile.
        if time.monotonic() - self._registered > _REGISTER_SECONDS:
            self._registered = time.monotonic()
            self.store.add_app(myself())

    def reconcile(self) -> None:
        """Marks runs whose process is gone as interrupted, and finishes pending discards and removals."""
        for key in self.remarks.overdue():
            found = self.store.run(key)
            if found is not None:
                _tried(partial(discarding.discard, self.store, found, unless=LIVE))
        for run in self.store.held():
            if not _abandoned(run):
                continue
            if run.wish == "discard":
                _tried(partial(discarding.finish, self.store, run))
            else:
                self.store.change(run, "interrupted", wish=None, ended=run.heartbeat if run.started else None)


def _tried(work: Callable[[], object]) -> None:
    """Calls it and logs any error: a file that cannot be removed must not break every page."""
    try:
        work()
    except LabError as problem:
        _log.warning("%s", problem)


def _abandoned(run: Run) -> bool:
    """Whether a run is marked as running although no process works on it."""
    if run.worker is None or run.worker.here:
        return run.worker is None or not run.worker.alive
    # A process on another machine cannot be checked; it reports four times a second while it trains.
    return time.time() - max(run.heartbeat or 0.0, run.created) > _SILENT_SECONDS

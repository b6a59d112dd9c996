"""Records a run's events without slowing its training."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from types import TracebackType
from typing import Any

from sqlalchemy.exc import OperationalError

from transfer.engine.events import Event, Note, Point, Stage, Wish, to_record
from transfer.errors import DiskFull, LabError, RunFailed
from transfer.lab.database import is_busy
from transfer.lab.outlines import BLOCK, Outlines
from transfer.lab.records import Run
from transfer.lab.store import Row, Store

REPORT = "This is a bug in the lab; the full message is in the worker's log."
_FLUSH_SECONDS = 0.1
_LAST_TRIES = 8


class Recorder:
    """Collects the events of one attempt at a run; a thread writes them ten times a second, the first point at once.

    The thread runs within ``with``; on exit, everything has been written. `emit` and
    `should_stop` cost no more than an append and an attribute access. When nothing can be
    written any more, they raise whatever error the thread met, so that training ends with
    that message. Every event that `emit` accepted is written, or leaving ``with`` raises.

    Args:
        store: the record of runs to write to.
        run: the claimed run.
        listen: called with every event as it comes, in the thread that trains.
    """

    def __init__(self, store: Store, run: Run, listen: Callable[[Event], None] | None = None) -> None:
        self._store, self._run, self._listen = store, run, listen
        self._rows: list[Row] = []
        self._outlines, self._unoutlined = Outlines(store), 0
        self._progress: dict[str, Any] | None = None
        self._asked_here: Wish | None = None
        self._asked_there: Wish | None = None
        self._trouble: LabError | None = None
        self._lock, self._writing, self._over = threading.Lock(), threading.Lock(), threading.Event()
        self._pointed, self._now = False, threading.Event()
        self._thread = threading.Thread(target=self._keep_flushing, name="recorder", daemon=True)

    def emit(self, event: Event) -> None:
        """Accepts an event.

        Raises:
            TypeError, ValueError: the event can't be written as JSON. It is dropped, or it would block all
                later events.
            LabError: the reason why the thread cannot write.
        """
        self._complain()
        kind, body = to_record(event)
        json.dumps(body)
        with self._lock:
            self._rows.append((time.time(), kind, body))
            if isinstance(event, Stage):
                self._progress = asdict(event)
        if isinstance(event, Point) and not self._pointed:
            self._pointed = True
            self._now.set()
        if self._listen:
            self._listen(event)

    def should_stop(self) -> Wish | None:
        """What the run has been asked to do, by a user through the store or by a signal to this process."""
        self._complain()
        return self._asked_there or self._asked_here

    def ask(self, wish: Wish) -> None:
        """Asks the run from within this process; safe in a signal handler."""
        self._asked_here = wish

    def flush(self) -> None:
        """Writes all new events, and a sign of life, in one transaction."""
        with self._writing:
            with self._lock:
                rows, progress = self._rows, self._progress
                self._rows, self._progress = [], None
            try:
                mine, wish = self._store.flush(self._run, rows, progress)
            except BaseException:
                with self._lock:
                    self._rows = rows + self._rows
                    self._progress = self._progress or progress
                raise
            if not mine:
                self._trouble = RunFailed("The run was deleted, or another process has taken it over.")
            self._asked_there = wish  # type: ignore[assignment]  # the column holds wishes only
            self._unoutlined += sum(row[1] == "Point" for row in rows)
            if self._unoutlined >= BLOCK and mine:
                self._outline()

    def _outline(self) -> None:
        """Adds the new points to the outline. If that fails the run goes on, because charts can read every point."""
        self._unoutlined = 0
        try:
            self._outlines.add(self._run.id)
        except (LabError, OperationalError):
            raise  # a problem of the store itself, which the next write would meet too
        except Exception as problem:  # noqa: BLE001  # a bug, which the run says aloud
            print(traceback.format_exc(), flush=True)
            kind, body = to_record(Note(f"This run's curves could not be condensed ({problem!r})."))
            with self._lock:
                self._rows.append((time.time(), kind, body))

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._now.set()
        self._thread.join()
        for tries_left in reversed(range(_LAST_TRIES)):
            try:
                return self.flush()
            except (DiskFull, OperationalError) as problem_now:
                if not tries_left:
                    if problem is None:
                        raise
                    return None
                if isinstance(problem_now, OperationalError) and not is_busy(problem_now):
                    raise
                time.sleep(_FLUSH_SECONDS)

    def _keep_flushing(self) -> None:
        while True:
            self._now.wait(_FLUSH_SECONDS)
            if self._over.is_set():
                return
            self._now.clear()
            try:
                self.flush()
            except LabError as problem:
                self._trouble = problem
            except OperationalError as problem:
                # The store was busy for too long: the events stay in the buffer until the next turn.
                if not is_busy(problem):
                    self._trouble = RunFailed("The run's events could not be written to the record of runs.", problem)
            except Exception as problem:  # noqa: BLE001  # a bug; unnoticed, the run would train on and say nothing
                print(traceback.format_exc(), flush=True)
                self._trouble = RunFailed("The run's events can't be recorded.", repr(problem), REPORT)

    def _complain(self) -> None:
        if self._trouble is not None:
            raise self._trouble

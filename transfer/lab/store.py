"""The record of runs and their events: SQLAlchemy Core over SQLite in WAL mode, or over PostgreSQL."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from transfer import ids, settings
from transfer.errors import DiskFull, StoreUnreadable
from transfer.experiment import Experiment
from transfer.lab.database import inode, is_busy, open_database
from transfer.lab.process import Identity
from transfer.lab.records import (
    DOOMED,
    LIVE,
    RESUMABLE,
    Run,
    State,
    StoredEvent,
    apps,
    events,
    members,
    outlines,
    remarks,
    runs,
    to_run,
    visible,
)

Row = tuple[float, str, dict[str, Any]]
_kept = runs.c.wish.is_distinct_from("discard")
_not_doomed = runs.c.id.not_in(select(remarks.c.run).where(remarks.c.removed == DOOMED))


class Store:
    """Runs, events and running apps. Cheap to create: the database is opened, or created, when first used.

    Every method is one transaction and may be called from any thread.

    Args:
        url: SQLAlchemy URL; None for the one in the settings.

    Raises:
        StoreUnreadable: by any method, if the database is damaged or not one of the lab's.
        DiskFull: by any method that writes.
    """

    def __init__(self, url: str | None = None) -> None:
        self.url = url or settings.store_url()
        self._engine: Engine | None = None
        self._inode = 0
        self._opening = threading.Lock()

    # Runs ---------------------------------------------------------------------------------------

    def add_run(self, experiment: Experiment, reserved: Identity | None = None) -> str:
        """Queues an experiment, for any worker or for one process; returns the run's id."""
        row = new_row(experiment)
        with self.begin() as database:
            database.execute(insert(runs).values(row | _belongs_to(reserved)))
        return str(row["id"])

    def run(self, run: str) -> Run | None:
        """The run with that id, or None."""
        if not ids.is_id(run):
            return None
        with self.begin() as database:
            row = database.execute(select(runs).where(runs.c.id == run)).mappings().first()
        return to_run(row) if row else None

    def runs(self, limit: int = 200) -> list[Run]:
        """The newest runs, newest first; without removed ones that can still be brought back."""
        chosen = select(runs).where(visible).order_by(runs.c.created.desc()).limit(limit)
        with self.begin() as database:
            rows = database.execute(chosen).mappings().all()
        return [to_run(row) for row in rows]

    def children(self, run: str | None = None) -> list[Run]:
        """The runs that start from this run's network (or any run's), or have it as their teacher; oldest first.

        Those being removed are left out: they no longer need anything.
        """
        if run is not None and not ids.is_id(run):
            return []
        asked = runs.c.experiment
        given = asked["backbone"].as_string(), asked[("options", "teacher")].as_string()
        named = or_(*(one.startswith("run:") if run is None else one == f"run:{run}" for one in given))
        with self.begin() as database:
            found = select(runs).where(named, _kept, _not_doomed).order_by(runs.c.created)
            rows = database.execute(found).mappings().all()
        return [to_run(row) for row in rows]

    def held(self) -> list[Run]:
        """The runs that belong to a process: those that train, and queued ones reserved for one process."""
        chosen = select(runs).where(runs.c.state.in_(LIVE), runs.c.reserved.is_not(None))
        with self.begin() as database:
            return [to_run(row) for row in database.execute(chosen).mappings().all()]

    def live(self) -> list[Run]:
        """The queued and running runs, oldest first."""
        chosen = select(runs).where(runs.c.state.in_(LIVE)).order_by(runs.c.created)
        with self.begin() as database:
            return [to_run(row) for row in database.execute(chosen).mappings().all()]

    def waiting(self) -> int:
        """How many queued runs any worker may take."""
        chosen = select(func.count()).where(runs.c.state == "queued", runs.c.reserved.is_(None))
        with self.begin() as database:
            return int(database.execute(chosen).scalar_one())

    def claim(self, worker: Identity, device: str, only: str | None = None) -> Run | None:
        """Claims the oldest free queued run, or the one reserved for this worker; None if there is none. Atomic."""
        chosen = select(runs.c.id).where(runs.c.state == "queued")
        if only is None:
            chosen = chosen.where(runs.c.reserved.is_(None)).order_by(runs.c.created)
        else:
            chosen = chosen.where(runs.c.id == only, runs.c.reserved == worker.token)
        chosen = chosen.limit(1).with_for_update(skip_locked=True)
        now = time.time()
        fresh = {"state": "running", "started": now, "ended": None, "heartbeat": now, "device": device, "error": ""}
        taking = (
            update(runs)
            .where(runs.c.id == chosen.scalar_subquery(), runs.c.state == "queued")
            .values(fresh | _belongs_to(worker))
            .returning(runs)
        )
        with self.begin() as database:
            row = database.execute(taking).mappings().first()
        return to_run(row) if row else None

    def change(self, run: Run, state: State, **values: Any) -> bool:
        """Changes a run's state if it is still as it was read; returns whether it was."""
        same = runs.c.reserved == run.reserved if run.reserved else runs.c.reserved.is_(None)
        changing = update(runs).where(runs.c.id == run.id, runs.c.state == run.state, same, _attempt(run))
        with self.begin() as database:
            return bool(database.execute(changing.values(state=state, **values)).rowcount)

    def requeue(self, run: str, reserved: Identity | None = None) -> bool:
        """Queues a paused or interrupted run again; false if it is neither."""
        spent = runs.c.spent + func.coalesce(runs.c.ended - runs.c.started, 0.0)
        again: dict[str, Any] = {"state": "queued", "progress": {}, "error": ""}
        again |= {"wish": None, "started": None, "ended": None}
        changing = update(runs).where(runs.c.id == run, runs.c.state.in_(RESUMABLE), _not_doomed)
        again |= {"spent": spent, "attempts": runs.c.attempts + 1} | _belongs_to(reserved)
        with self.begin() as database:
            return bool(database.execute(changing.values(again)).rowcount)

    def finish(self, run: Run, state: State, metrics: dict[str, Any], environment: dict[str, Any], error: str) -> bool:
        """Records how an attempt ended, for the process that held it; false if that process no longer holds it.

        Also false if the run is to be discarded: it has to be deleted instead. A run that was
        marked as interrupted while its process was still alive accepts the ending all the same.
        """
        mine = (runs.c.id == run.id, runs.c.reserved == run.reserved, _attempt(run))
        ending = {"state": state, "metrics": metrics, "environment": environment, "error": error, "wish": None}
        changing = update(runs).where(*mine, runs.c.state.in_(("running", "interrupted")), _kept)
        with self.begin() as database:
            return bool(database.execute(changing.values(ending | {"ended": time.time()})).rowcount)

    def doom(self, run: str, unless: Sequence[State]) -> bool:
        """Marks a run to be removed for good, unless it is in one of those states; returns whether it did.

        The run leaves the queue, is hidden, and cannot be resumed or brought back.
        """
        ended = case((runs.c.state == "queued", "stopped"), else_=runs.c.state)
        leaving = update(runs).where(runs.c.id == run, runs.c.state.not_in(unless)).values(state=ended, reserved=None)
        with self.begin() as database:
            left = bool(database.execute(leaving).rowcount)
            marking = update(remarks).where(remarks.c.run == run).values(removed=DOOMED)
            if left and not database.execute(marking).rowcount:
                database.execute(insert(remarks).values(run=run, removed=DOOMED))
        return left

    def delete(self, run: str) -> None:
        """Removes a run's record and all its events."""
        with self.begin() as database:
            database.execute(delete(runs).where(runs.c.id == run))
            for table in (events, remarks, members, outlines):
                database.execute(delete(table).where(table.c.run == run))

    # Events and wishes --------------------------------------------------------------------------

    def append(self, run: str, rows: Sequence[Row]) -> None:
        """Adds events: time, kind and body of each, in order."""
        if rows:
            with self.begin() as database:
                _add(database, run, rows)

    def flush(self, run: Run, rows: Sequence[Row], progress: dict[str, Any] | None) -> tuple[bool, str | None]:
        """Adds events and a sign of life; returns whether the run is still the caller's, and what it is asked to do."""
        alive = {"heartbeat": time.time(), "state": "running", "ended": None}
        values: dict[str, Any] = alive | ({"progress": progress} if progress else {})
        mine = (runs.c.id == run.id, runs.c.reserved == run.reserved, _attempt(run))
        with self.begin() as database:
            row = database.execute(update(runs).where(*mine).values(values).returning(runs.c.wish)).first()
            if row is None:
                return False, None
            if rows:
                _add(database, run.id, rows)
        return True, row.wish

    def events(
        self, run: str, after: int = 0, kinds: Sequence[str] | None = None, limit: int | None = None
    ) -> list[StoredEvent]:
        """A run's events after number ``after``, in order."""
        columns = (events.c.n, events.c.time, events.c.kind, events.c.body)
        chosen = select(*columns).where(events.c.run == run, events.c.n > after).order_by(events.c.n).limit(limit)
        if kinds is not None:
            chosen = chosen.where(events.c.kind.in_(kinds))
        with self.begin() as database:
            return [StoredEvent(*row) for row in database.execute(chosen).all()]

    def wish(self, run: str, wish: str | None) -> bool:
        """Asks a running run to pause, stop or vanish; false if it is not running or is already to vanish."""
        with self.begin() as database:
            changing = update(runs).where(runs.c.id == run, runs.c.state == "running", _kept).values(wish=wish)
            return bool(database.execute(changing).rowcount)

    # Apps ---------------------------------------------------------------------------------------

    def add_app(self, app: Identity) -> None:
        """Registers a process for which workers should stand by."""
        with self.begin() as database:
            database.execute(delete(apps).where(apps.c.host == app.host, apps.c.pid == app.pid))
            database.execute(insert(apps).values(host=app.host, pid=app.pid, pid_created=app.created))

    def apps(self) -> list[Identity]:
        """The registered processes, including dead ones."""
        with self.begin() as database:
            return [Identity(*row) for row in database.execute(select(apps.c.host, apps.c.pid, apps.c.pid_created))]

    def remove_app(self, app: Identity) -> None:
        """Unregisters a process."""
        with self.begin() as database:
            database.execute(delete(apps).where(apps.c.host == app.host, apps.c.pid == app.pid))

    # The database -------------------------------------------------------------------------------

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction, for code that stores more than this class does; it ends with the ``with``."""
        try:
            with self._opened().begin() as database:
                yield database
        except (DatabaseError, sqlite3.Error, json.JSONDecodeError) as problem:
            raise self._in_words(problem) from problem

    def _opened(self) -> Engine:
        """The engine; a new one if the file was moved away, as the message about a damaged store advises."""
        with self._opening:
            path = self._file()
            if self._engine is not None and path and inode(path) != self._inode:
                self._engine.dispose()
                self._engine = None
            if self._engine is None:
                self._engine = open_database(self.url)
                self._inode = inode(path) if path else 0
            return self._engine

    def _file(self) -> str:
        return self.url.partition("sqlite:///")[2]

    def _in_words(self, problem: Exception) -> Exception:
        original = problem.orig if isinstance(problem, DBAPIError) else problem
        said, path = str(original), self._file()
        place = path or "the database of TRANSFER_STORE"
        if "is full" in said or "No space left" in said:
            return DiskFull("The disk is full.", place, "Free some space, then resume the run.")
        if is_busy(problem):
            return problem
        damaged = isinstance(problem, OperationalError | sqlite3.Error | json.JSONDecodeError)
        if not (damaged or isinstance(original, sqlite3.DatabaseError) and type(original) is sqlite3.DatabaseError):
            return problem
        remedy = (
            f"Move {path} away to start with an empty record."
            if path
            else "Check TRANSFER_STORE, and that its server is running."
        )
        return StoreUnreadable(f"The record of runs cannot be read ({said}).", place, remedy)


def new_row(experiment: Experiment) -> dict[str, Any]:
    """The row for a run that is queued now."""
    return {
        "id": f"{time.strftime('%y%m%d-%H%M%S')}-{secrets.token_hex(4)}",
        "state": "queued",
        "experiment": experiment.model_dump(mode="json"),
        "fingerprint": experiment.fingerprint,
        "created": time.time(),
    }


def _belongs_to(who: Identity | None) -> dict[str, Any]:
    if who is None:
        return {"reserved": None}
    return {"reserved": who.token, "host": who.host, "pid": who.pid, "pid_created": who.created}


def _attempt(run: Run) -> Any:
    return runs.c.attempts == run.attempts


def _add(database: Connection, run: str, rows: Sequence[Row]) -> None:
    fields = ("time", "kind", "body")
    database.execute(insert(events), [{"run": run, **dict(zip(fields, row, strict=True))} for row in rows])

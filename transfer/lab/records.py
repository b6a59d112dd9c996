"""The store's tables, and the frozen records that are read from them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import JSON, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, select

from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.lab.process import Identity

State = Literal["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]
LIVE: tuple[State, ...] = ("queued", "running")
RESUMABLE = ("paused", "interrupted")
# In place of the time of removal: it cannot be undone, because files may be gone already.
DOOMED = 0.0

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("state", Text, nullable=False, index=True),
    Column("experiment", JSON, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("created", Float, nullable=False, index=True),
    Column("started", Float),
    Column("ended", Float, index=True),
    Column("spent", Float, nullable=False, default=0.0),
    Column("wish", Text),
    Column("reserved", Text),
    Column("host", Text),
    Column("pid", Integer),
    Column("pid_created", Float),
    Column("heartbeat", Float),
    Column("device", Text, nullable=False, default=""),
    Column("progress", JSON, nullable=False, default=dict),
    Column("metrics", JSON, nullable=False, default=dict),
    Column("environment", JSON, nullable=False, default=dict),
    Column("error", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=1),
)

events = Table(
    "events",
    metadata,
    # A run has one writer at a time, so its event numbers increase in the order in which they become readable.
    Column("n", Integer, primary_key=True, autoincrement=True),
    Column("run", Text, nullable=False, index=True),
    Column("time", Float, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", JSON, nullable=False),
    # For reading a run's other events without going through all its points.
    Index("ix_events_run_kind", "run", "kind", "n"),
    sqlite_autoincrement=True,
)

apps = Table(
    "apps",
    metadata,
    Column("host", Text, primary_key=True),
    Column("pid", Integer, primary_key=True, autoincrement=False),
    Column("pid_created", Float, nullable=False),
)

# Remarks on runs, and races: in separate tables, which are simply added to an older store.
remarks = Table(
    "remarks",
    metadata,
    Column("run", Text, primary_key=True),
    Column("tags", JSON, nullable=False, default=list),
    Column("note", Text, nullable=False, default=""),
    Column("archived", Float),
    Column("removed", Float, index=True),
)

races = Table(
    "races",
    metadata,
    Column("id", Text, primary_key=True),
    Column("created", Float, nullable=False),
    Column("about", JSON, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("race", Text, primary_key=True),
    Column("run", Text, primary_key=True, index=True),
)

outlines = Table(
    "outlines",
    metadata,
    Column("run", Text, primary_key=True),
    Column("last", Integer, primary_key=True, autoincrement=False),
    Column("names", JSON, nullable=False),
    Column("rows", LargeBinary, nullable=False),
)

visible = runs.c.id.not_in(select(remarks.c.run).where(remarks.c.removed.is_not(None)))


@dataclass(frozen=True)
class StoredEvent:
    """A stored event; ``n`` is the number from which `Lab.events` continues."""

    n: int
    time: float
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One execution of an experiment, in its state at the time of reading.

    Args:
        id: its name, made of the time of the request and a few random digits.
        state: queued, running, paused, finished, stopped, failed or interrupted.
        created, started, ended: Unix times; the latter two of the last attempt.
        spent: seconds that earlier attempts took.
        progress: the last stage: ``text``, ``done``, ``total``.
        error: why it failed, in words; a traceback in case of a bug.
        wish: a pending request: pause, stop or discard.
        worker: the process that runs or ran it.
        reserved: token of the process that it is reserved for or that holds it.
    """

    id: str
    state: State
    experiment: Experiment
    created: float
    started: float | None = None
    ended: float | None = None
    spent: float = 0.0
    progress: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    device: str = ""
    wish: str | None = None
    attempts: int = 1
    heartbeat: float | None = None
    reserved: str | None = None
    worker: Identity | None = None

    @property
    def live(self) -> bool:
        """Whether it is waiting or training."""
        return self.state in LIVE

    @property
    def resumable(self) -> bool:
        """Whether it can be continued from where it was."""
        return self.state in RESUMABLE

    @property
    def pid(self) -> int | None:
        """Number of its process; None before it has one."""
        return self.worker.pid if self.worker else None

    @property
    def seconds(self) -> float:
        """How long it has been training, without the time between attempts."""
        if self.started is None:
            return self.spent
        end = time.time() if self.state == "running" else self.ended
        return self.spent + max(0.0, (end or self.started) - self.started)


def to_run(row: Mapping[Any, Any]) -> Run:
    """The record for a row of `runs`."""
    plain = {name: row[name] for name in Run.__dataclass_fields__ if name in row and name != "experiment"}
    worker = Identity(row["host"], row["pid"], row["pid_created"]) if row["pid"] else None
    return Run(**plain, experiment=_experiment(row["experiment"]), worker=worker)


def _experiment(fields: dict[str, Any]) -> Experiment:
    try:
        return Experiment(**fields)
    except RequestError:
        # Written by another version of the lab: shown as it was, and refused only when it is run again.
        return Experiment.model_construct(**fields)

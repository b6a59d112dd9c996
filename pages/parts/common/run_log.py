"""A run's events so far: read once for all sessions; each read adds the new ones."""

from __future__ import annotations

import copy
import threading
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from transfer import settings
from transfer.engine.events import KINDS
from transfer.insight.curves import Curve, Phase
from transfer.insight.domains import Plane
from transfer.lab import Lab, Run, StoredEvent, history

MARKS = 400
MOST_SHARED = 200  # runs; one that is not among the last ones looked at is read from the start again
# Stages only serve to estimate the time left; the newest is enough.
BESIDE = tuple(kind for kind in KINDS if kind not in ("Point", "Stage"))
DOMAINS: tuple[Literal["source", "teacher", "target"], ...] = ("source", "teacher", "target")


class Log:
    """One run's points, phases, notes and progress; ``cursor`` is the number of the last event read."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.begun = 0  # how often it has been read from the start
        self._begin(1)

    def _begin(self, attempts: int) -> None:
        self.cursor, self.attempts = 0, attempts
        self.begun += 1
        self.history = history.table([])
        self.phases: dict[tuple[int, int], Phase] = {}
        self.notes: list[str] = []
        self.marks: list[tuple[float, int, int]] = []
        self.latest = 0.0
        self.planes: dict[float, Plane] = {}
        self.baselines: dict[str, float] = {}
        self.resumed = 0  # how often the run was resumed from a checkpoint, which repeats points

    def read(self, lab: Lab, run: Run) -> None:
        """Reads the new events; after the run was resumed, which replaces points, reads all of them again."""
        if run.attempts > self.attempts:
            self._begin(run.attempts)
        if not self.cursor and run.attempts == 1:
            self._outlined(lab)
        events = lab.events(run.id, after=self.cursor)
        if not events:
            return
        if self.cursor and any(event.kind == "Resumed" for event in events):
            self._begin(run.attempts)
            events = lab.events(run.id)
        points = history.table([event for event in events if event.kind in history.KINDS])
        self.cursor, self.latest = events[-1].n, events[-1].time
        if not points.empty:
            self.history = points if self.history.empty else pd.concat([self.history, points], ignore_index=True)
        for event in events:
            self._take(event)

    def _outlined(self, lab: Lab) -> None:
        """Reads the outline of a long run instead of every point; all other events are read in full."""
        outline, last = lab.outlines.read(self.run)
        if outline is not None:
            self.history, self.cursor = outline, last
            for event in lab.store.events(self.run, kinds=BESIDE):
                if event.n <= last:
                    self._take(event)

    def _take(self, event: StoredEvent) -> None:
        body = event.body
        if event.kind == "PhaseBegan":
            fields = (body["index"], body["name"], body["domain"], float(body["epoch"]), body["epochs"])
            self.phases[DOMAINS.index(body["domain"]), body["index"]] = Phase(*fields)
        elif event.kind == "Note" and body["text"] not in self.notes:
            self.notes.append(body["text"])
        elif event.kind == "Embedded":
            self.planes[float(body["epoch"])] = Plane.of(body)
        elif event.kind == "Resumed":
            self.resumed += 1
        elif event.kind == "Baseline":
            self.baselines[body["name"]] = body["accuracy"]
        elif event.kind == "Stage" and body["total"]:
            self.marks = [*self.marks[-MARKS:], (event.time, body["done"], body["total"])]

    @property
    def domain(self) -> str:
        """The domain that is being learned: source or target; empty before the first phase."""
        return list(self.phases.values())[-1].domain if self.phases else ""

    def moved(self, epoch: float | None = None) -> dict[str, float]:
        """How far each stage is from its start, at the newest validation that measured it; empty before that.

        Args:
            epoch: use the newest validation up to this epoch, the tested one; None: the newest of all.
        """
        columns = [str(name) for name in self.history.columns if str(name).startswith("moved:")]
        if not columns:
            return {}
        there = self.history["domain"] == "target"
        if epoch is not None:
            there &= self.history["epoch"] <= epoch + 1e-9
        values = self.history[columns].to_numpy(float)
        said = values[there.to_numpy(bool) & ~np.isnan(values).all(axis=1)]
        known = ~np.isnan(said).all(axis=0)
        return {
            name.removeprefix("moved:"): float(said[-1, place]) for place, name in enumerate(columns) if known[place]
        }

    def curve(self, name: str) -> Curve:
        """The run as drawn."""
        known = dict(self.phases)
        # A source that was learned earlier has its curve shown again, without announcing a phase.
        for rank, domain in enumerate(DOMAINS[:-1]):
            of_domain = self.history[self.history["domain"] == domain]
            if not of_domain.empty and not any(phase.domain == domain for phase in known.values()):
                first, last = float(of_domain["epoch"].min()), float(of_domain["epoch"].max())
                known[rank, 0] = Phase(0, "learned before", domain, first, round(last - first))
        phases = [known[place] for place in sorted(known)]
        return Curve(name, self.history, tuple(phases))


class SessionLog(Log):
    """The log as a session last looked at it, whatever others have read since: what it draws fits together."""

    def read(self, lab: Lab, run: Run) -> None:
        """Takes in what is new, which is read from the store for the first session that asks."""
        shared = _shared(str(settings.home()), self.run)
        with shared.lock:
            shared.log.read(lab, run)
            vars(self).update((name, copy.copy(value)) for name, value in vars(shared.log).items())


class _Shared:
    def __init__(self, run: str) -> None:
        self.log, self.lock = Log(run), threading.Lock()


@st.cache_resource(max_entries=MOST_SHARED, show_spinner=False)
def _shared(home: str, run: str) -> _Shared:
    return _Shared(run)


def log_of(run: str) -> SessionLog:
    """The session's log of a run."""
    logs: dict[str, SessionLog] = st.session_state.setdefault("logs", {})
    return logs.setdefault(run, SessionLog(run))

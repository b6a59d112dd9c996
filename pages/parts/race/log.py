"""The validation points of a race's runs so far; each read adds the new ones."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from transfer.lab import Lab, Run, StoredEvent, history


class RaceLog:
    """Validation points of several runs; ``cursors`` are the numbers of the last events read of each."""

    def __init__(self) -> None:
        self.cursors: dict[str, int] = {}
        self.resumed: dict[str, int] = {}
        self.points: dict[str, pd.DataFrame] = {}
        self._events: dict[str, list[StoredEvent]] = {}
        self._ended: set[str] = set()

    def read(self, lab: Lab, runs: Sequence[Run]) -> None:
        """Reads the new points; skips runs that had already ended at the last read."""
        # The runs' states before the events are read: a run that had ended by then adds nothing more.
        wanted = [run for run in runs if run.id not in self._ended and run.state != "queued"]
        found = lab.races.news({run.id: self.cursors.get(run.id, 0) for run in wanted})
        for run, event in found:
            self._events.setdefault(run, []).append(event)
            self.cursors[run] = event.n
        for run in {run for run, _ in found}:
            self.points[run] = history.table(self._events[run])
            self.resumed[run] = sum(event.kind == "Resumed" for event in self._events[run])
        # A paused one may be resumed.
        self._ended |= {run.id for run in wanted if not run.live and not run.resumable}


def race_log(race: str) -> RaceLog:
    """The session's log of a race."""
    logs: dict[str, RaceLog] = st.session_state.setdefault("race_logs", {})
    return logs.setdefault(race, RaceLog())

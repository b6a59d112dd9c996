"""One run as all its viewers see it: what is new since the last look, in one message for everybody."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from pages.live.status import meters, moved, plane, status, structure
from pages.parts.log import Log
from transfer import catalog
from transfer.insight import points, sentences
from transfer.lab import history

if TYPE_CHECKING:
    import pandas as pd

    from transfer.lab import Lab, Run

FIELDS = ("n", "split", "domain", "phase", "epoch", "step", "seconds")
DIGITS = 6
BEST = ("epoch", "step", "seconds", "loss", "accuracy")
# What every message says; the rest only when it is another than before.
ALWAYS = ("run", "n", "time", "state", "resumed")
METERS_SECONDS = 2.0
Message = dict[str, Any]


class Reader:
    """Reads a run from the store and says what is new of it.

    It belongs to one thread at a time: `pages.live.hub` sees to that.

    Args:
        run: its id.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.log = Log(run)
        self.validation = 100  # pictures, until a page says how many there are
        self._last: Message = {}
        self._drawn = 0
        self._begun = -1
        self._metered = -math.inf
        self._meters = ""

    def look(self, lab: Lab) -> Message | None:
        """What is new since the last look; None when nothing is.

        Raises:
            UnknownKey: the run is gone.
        """
        # Its state before its points: of a run that had ended by then there is nothing more to come.
        run = lab.run(self.run)
        self.log.read(lab, run)
        anew = self.log.begun != self._begun
        first = 0 if anew else self._drawn
        fresh = self.log.history.iloc[first:]
        self._begun, self._drawn = self.log.begun, len(self.log.history)
        head = self._head(lab, run)
        if not anew and fresh.empty and head == self._last:
            return None
        news = {name: value for name, value in head.items() if name in ALWAYS or value != self._last.get(name)}
        self._last = head
        return news | {"points": rows(fresh)} | ({"anew": True} if anew else {})

    def since(self, after: int) -> Message:
        """All that somebody has to be told who knows the run up to event ``after``, as of the last look."""
        known = self.log.history
        return self._last | {"points": rows(known[known["n"] > after] if after else known), "anew": after == 0}

    @property
    def ended(self) -> bool:
        """Whether nothing more will come before somebody resumes the run."""
        return bool(self._last) and self._last["state"] not in ("queued", "running")

    def _head(self, lab: Lab, run: Run) -> Message:
        log, experiment = self.log, run.experiment
        source = catalog.datasets().get(experiment.source or "")
        dataset = catalog.datasets().get(experiment.target)
        classes = len(dataset.classes) - len(experiment.without) if dataset else 10
        title = source.title if source else ""
        best = points.best(log.history)
        return {
            "run": run.id,
            "n": log.cursor,
            "time": round(log.latest, 3),  # when the run said the last of it, seconds since 1970
            "state": run.state,
            "structure": structure(run, log),
            "resumed": log.resumed,
            "progress": status(run, log),
            "said": {
                "accuracy": sentences.about_accuracy(log.history, classes, title, self.validation),
                "loss": sentences.about_loss(log.history, classes, title),
            },
            "best": None if best is None else {name: number(best[name]) for name in BEST},
            "moved": moved(run, log),
            "plane": plane(log),
            "meters": self._measured(lab, run),
        }

    def _measured(self, lab: Lab, run: Run) -> str:
        """What the run's process uses; asked seldom, because it is the system that is asked."""
        if time.monotonic() - self._metered >= METERS_SECONDS:
            self._metered, self._meters = time.monotonic(), meters(lab, run)
        return self._meters


def rows(of: pd.DataFrame) -> list[list[Any]]:
    """Each point as ``[n, split, domain, phase, epoch, step, seconds, values]``.

    What is not a number is None: a point of another phase has other values, and those that it does not have are left
    out; a loss that became no number stays as None.
    """
    values = [str(name) for name in of.columns if name not in history.COLUMNS]
    told = []
    for row in of.to_dict("records"):
        own = {name: number(row[name]) for name in values if name == "loss" or number(row[name]) is not None}
        told.append([*(number(row[name]) for name in FIELDS), own])
    return told


def number(value: Any) -> Any:
    """A value as JSON can hold it, with as many digits as a chart shows."""
    if isinstance(value, str):
        return value
    value = float(value)
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}") if abs(value) < 10**DIGITS else value
    return int(short) if short == int(short) else short

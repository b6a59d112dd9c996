"""One run as all its viewers see it: what is new since the last look, in one message for everybody."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from pages.kinds import kind_of
from pages.live.status import meters, moved, plane, status, structure
from pages.parts.common.run_log import Log
from transfer import catalog
from transfer.insight import points, sentences
from transfer.lab import history

if TYPE_CHECKING:
    import pandas as pd

    from transfer.lab import Lab, Run

SHARED = ("split", "domain", "phase")
PLACES = ("n", "epoch", "step", "seconds")
DIGITS = 6
DECIMALS = 2  # of seconds
BEST = ("epoch", "step", "seconds", "loss", "accuracy")
GOING_ON = ("queued", "running", "paused", "interrupted")
# What every message says; the rest only when it is another than before.
ALWAYS = ("run", "n", "time", "state", "resumed")
METERS_SECONDS = 2.0
COMPOSED_SECONDS = 1.0
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
        self._beside: tuple[Any, ...] = ()
        self._composed = -math.inf
        self._about: Message = {}
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
        head = self._head(lab, run, fresh)
        if not anew and fresh.empty and head == self._last:
            return None
        news = {name: value for name, value in head.items() if name in ALWAYS or value != self._last.get(name)}
        self._last = head
        return news | {"points": grouped(fresh)} | ({"anew": True} if anew else {})

    def since(self, after: int) -> Message:
        """All that somebody has to be told who knows the run up to event ``after``, as of the last look."""
        known = self.log.history
        return self._last | {"points": grouped(known[known["n"] > after] if after else known), "anew": after == 0}

    @property
    def starting(self) -> bool:
        """Whether the run is about to say its first point."""
        return bool(self._last) and self._last["state"] == "running" and self.log.history.empty

    @property
    def resting(self) -> bool:
        """Whether nothing will come before somebody resumes the run."""
        return bool(self._last) and self._last["state"] not in ("queued", "running")

    @property
    def ended(self) -> bool:
        """Whether nothing more will ever come; a paused run may go on."""
        return bool(self._last) and self._last["state"] not in GOING_ON

    def _head(self, lab: Lab, run: Run, fresh: pd.DataFrame) -> Message:
        log = self.log
        beside = (run.state, run.wish, run.attempts, log.begun, log.resumed, len(log.phases), len(log.notes))
        beside += (len(log.planes), len(log.baselines), *log.history.columns, (run.progress or {}).get("text"))
        # What is said of the curves follows validation; between two of those it need not be said at every batch.
        validated = not fresh.empty and bool((fresh["split"] == "validation").any())
        if validated or beside != self._beside or time.monotonic() - self._composed >= COMPOSED_SECONDS:
            self._beside, self._composed, self._about = beside, time.monotonic(), self._said(run)
        return {
            "run": run.id,
            "n": log.cursor,
            "time": round(log.latest, 3),  # when the run said the last of it, seconds since 1970
            "state": run.state,
            "resumed": log.resumed,
            "meters": self._measured(lab, run),
            **self._about,
        }

    def _said(self, run: Run) -> Message:
        log, experiment = self.log, run.experiment
        source = catalog.datasets().get(experiment.source or "")
        dataset = catalog.datasets().get(experiment.target)
        classes = len(dataset.classes) - len(experiment.without) if dataset else 10
        title = source.title if source else ""
        best = points.best(log.history)
        words = kind_of(experiment.target).words
        return {
            "progress": status(run, log),
            "structure": structure(run, log),
            "said": {
                "accuracy": words(sentences.about_accuracy(log.history, classes, title, self.validation)),
                "loss": words(sentences.about_loss(log.history, classes, title)),
            },
            "best": None if best is None else {name: number(best[name]) for name in BEST},
            "moved": moved(run, log),
            "plane": plane(log),
        }

    def _measured(self, lab: Lab, run: Run) -> str:
        """What the run's process uses; asked seldom, because it is the system that is asked."""
        if time.monotonic() - self._metered >= METERS_SECONDS:
            self._metered, self._meters = time.monotonic(), meters(lab, run)
        return self._meters


def grouped(of: pd.DataFrame) -> list[dict[str, Any]]:
    """The points in their order, in groups of one ``split``, ``domain`` and ``phase``.

    Each has ``rows``, a list a point: its number, epoch, step, seconds, and then its values as ``names`` calls them;
    values that all of them share are in ``same``. What is not a number is None; what a point does not have is left out.
    """
    values = [str(name) for name in of.columns if name not in history.COLUMNS]
    groups: list[dict[str, Any]] = []
    for row in of.assign(seconds=of["seconds"].round(DECIMALS)).to_dict("records"):
        own = {name: number(row[name]) for name in values if name == "loss" or number(row[name]) is not None}
        about = {name: number(row[name]) for name in SHARED} | {"names": list(own)}
        if not groups or any(groups[-1][name] != value for name, value in about.items()):
            groups.append(about | {"rows": []})
        groups[-1]["rows"].append([*(number(row[name]) for name in PLACES), *own.values()])
    for group in groups:
        _without_what_is_the_same(group)
    return groups


def _without_what_is_the_same(group: dict[str, Any]) -> None:
    """A learning rate, say, is told once for a hundred points."""
    first, count = group["rows"][0], len(PLACES)
    same = [at for at in range(count, len(first)) if all(row[at] == first[at] for row in group["rows"])]
    group["same"] = {group["names"][at - count]: first[at] for at in same}
    group["names"] = [name for name in group["names"] if name not in group["same"]]
    group["rows"] = [[value for at, value in enumerate(row) if at not in same] for row in group["rows"]]


def number(value: Any) -> Any:
    """A value as JSON can hold it, with as many digits as a chart shows."""
    if isinstance(value, str):
        return value
    value = float(value)
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}") if abs(value) < 10**DIGITS else value
    return int(short) if short == int(short) else short

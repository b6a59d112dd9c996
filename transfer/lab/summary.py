"""All runs in one table: settings, results and remarks. Fast even with many runs."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from transfer.experiment import Experiment
from transfer.lab.records import LIVE, runs, visible
from transfer.lab.remarks import Remark, Remarks
from transfer.lab.store import Store

if TYPE_CHECKING:
    import pandas as pd

METRICS = (
    "validation_accuracy",
    "last_validation_accuracy",
    "test_accuracy",
    "test_low",
    "test_high",
    "trainable_weights",
    "peak_memory_mb",
)
READ = ("id", "state", "experiment", "created", "started", "ended", "spent", "progress", "metrics", "device")
COLUMNS = [runs.c[name] for name in READ]
_AGAIN_SECONDS = 60.0


class Summary:
    """Keeps one row per run and rereads only what may have changed; may be called from any thread.

    Args:
        store: the record of runs.
        remarks: the users' remarks on them.
    """

    def __init__(self, store: Store, remarks: Remarks) -> None:
        self._store, self._remarks = store, remarks
        self._rows: dict[str, dict[str, Any]] = {}
        self._said: dict[str, Remark] = {}
        self._made: pd.DataFrame | None = None
        self._lock = threading.Lock()

    def table(self) -> pd.DataFrame:
        """One row per run, newest first: id, state, times, seconds it took, progress (0 to 1), every field of the
        experiment, metrics, tags, note and whether it is archived. Without removed runs. Do not modify it: all callers
        share it.
        """
        with self._lock:
            before, said = self._rows, self._remarks.all()
            self._refresh()
            if self._made is not None and (before, self._said) == (self._rows, said):
                return self._made
            self._said = said
            rows = [row | _said(said.get(row["run"])) for row in self._rows.values()]
            self._made = self._frame(rows)
            return self._made

    def _frame(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        import pandas as pd

        columns = list(_row(dict.fromkeys(READ) | {"created": 0.0})) + list(_said(None))
        frame = pd.DataFrame(rows, columns=None if rows else columns)
        return frame.sort_values("created", ascending=False, kind="stable", ignore_index=True)

    def _refresh(self) -> None:
        """Reads runs that are new, live or recently ended, and drops those that are gone."""
        newest = max((row["created"] for row in self._rows.values()), default=0.0)
        latest = max((row["ended"] or 0.0 for row in self._rows.values()), default=0.0)
        watched = [run for run, row in self._rows.items() if row["state"] in LIVE]
        moving = or_(runs.c.state.in_((*LIVE, "paused", "interrupted")), runs.c.id.in_(watched))
        # A minute more, because the clocks of several machines may differ a little.
        fresh = or_(runs.c.created > newest - _AGAIN_SECONDS, runs.c.ended > latest - _AGAIN_SECONDS)
        with self._store.begin() as database:
            there = set(database.execute(select(runs.c.id).where(visible)).scalars().all())
            missing = len(there - set(self._rows)) > 0
            changed = select(*COLUMNS).where(visible) if not self._rows else select(*COLUMNS).where(or_(moving, fresh))
            rows = database.execute(changed).mappings().all()
            known = self._rows | {row["id"]: _row(row) for row in rows}
            if missing and (left := there - set(known)):  # brought back after removal
                rows = database.execute(select(*COLUMNS).where(runs.c.id.in_(left))).mappings().all()
                known |= {row["id"]: _row(row) for row in rows}
        self._rows = {run: row for run, row in known.items() if run in there}


def _row(found: Mapping[Any, Any]) -> dict[str, Any]:
    """A run as a flat record."""
    asked, metrics, progress = found["experiment"] or {}, found["metrics"] or {}, found["progress"] or {}
    total = progress.get("total") or 0
    row = {name: found[name] for name in ("state", "created", "started", "ended", "device")}
    row |= {"run": found["id"], "took": (found["spent"] or 0.0) + _lasted(found)}
    row["progress"] = min(1.0, progress["done"] / total) if total else 0.0
    row |= {name: asked.get(name) for name in Experiment.model_fields}
    return row | {name: metrics.get(name) for name in METRICS}


def _lasted(found: Mapping[Any, Any]) -> float:
    if not found["started"] or not found["ended"]:
        return 0.0
    return max(0.0, float(found["ended"] - found["started"]))


def _said(remark: Remark | None) -> dict[str, Any]:
    said = remark or Remark()
    return {"tags": list(said.tags), "note": said.note, "archived": said.archived is not None}

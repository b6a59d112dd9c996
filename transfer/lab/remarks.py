"""User remarks on runs: tags, notes, whether archived, and whether removed while this can still be undone."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from transfer.lab.records import DOOMED, LIVE, remarks, runs
from transfer.lab.store import Store

UNDO_SECONDS = 600.0


@dataclass(frozen=True)
class Remark:
    """The remarks on one run; ``archived`` and ``removed`` are Unix times, or None."""

    tags: tuple[str, ...] = ()
    note: str = ""
    archived: float | None = None
    removed: float | None = None


class Remarks:
    """The remarks of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> dict[str, Remark]:
        """The remarks by run; runs without remarks are missing."""
        with self._store.begin() as database:
            rows = database.execute(select(remarks)).mappings().all()
        return {row["run"]: _remark(row) for row in rows}

    def say(self, run: str, tags: Sequence[str] | None = None, note: str | None = None) -> None:
        """Replaces a run's tags or note, or both; None leaves it as it is."""
        values: dict[str, Any] = {} if tags is None else {"tags": list(dict.fromkeys(map(str.strip, tags)))}
        self._write([run], values | ({} if note is None else {"note": note}))

    def archive(self, chosen: Sequence[str], away: bool = True) -> None:
        """Archives runs, or brings them back; nothing is lost."""
        self._write(chosen, {"archived": time.time() if away else None})

    def remove(self, chosen: Sequence[str]) -> list[str]:
        """Hides runs that are neither queued nor running, to delete them ten minutes later; returns the hidden ones."""
        with self._store.begin() as database:
            doomed = select(remarks.c.run).where(remarks.c.removed == DOOMED)
            ended = select(runs.c.id).where(runs.c.id.in_(chosen), runs.c.state.not_in(LIVE), runs.c.id.not_in(doomed))
            gone = [str(one) for one in database.execute(ended).scalars().all()]
        self._write(gone, {"removed": time.time()})
        return gone

    def restore(self, chosen: Sequence[str]) -> None:
        """Brings removed runs back, as long as they have not been deleted for good."""
        back = update(remarks).where(remarks.c.run.in_(chosen), remarks.c.removed > DOOMED)
        with self._store.begin() as database:
            database.execute(back.values(removed=None))

    def overdue(self, seconds: float = UNDO_SECONDS) -> list[str]:
        """Removed runs whose time for undo is over."""
        late = select(remarks.c.run).where(remarks.c.removed < time.time() - seconds)
        with self._store.begin() as database:
            return [str(one) for one in database.execute(late).scalars().all()]

    def _write(self, chosen: Sequence[str], values: dict[str, Any]) -> None:
        if not chosen or not values:
            return
        with self._store.begin() as database:
            known = set(database.execute(select(remarks.c.run).where(remarks.c.run.in_(chosen))).scalars().all())
            if known:
                database.execute(update(remarks).where(remarks.c.run.in_(known)).values(values))
            if new := [run for run in chosen if run not in known]:
                database.execute(insert(remarks), [{"run": run, **values} for run in new])


def _remark(row: Mapping[Any, Any]) -> Remark:
    return Remark(tuple(row["tags"]), row["note"], row["archived"], row["removed"])

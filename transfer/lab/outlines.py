"""The outline of a long run: few enough points to read at once, with every peak and gap of its curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import func, insert, select
from tsdownsample import MinMaxDownsampler

from transfer.lab import history
from transfer.lab.records import StoredEvent, outlines
from transfer.lab.store import Store

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 5_000
KEPT = 40
_CODES = {"split": ("train", "validation"), "domain": ("source", "teacher", "target")}


class Outlines:
    """Outlines of a store's runs, one row per block of `BLOCK` points. The points themselves are kept.

    Args:
        store: the record of runs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, run: str) -> int:
        """Outlines every complete block of points that has no outline yet; returns how many."""
        made = 0
        while True:
            points = self._store.events(run, after=self._last(run), kinds=("Point",), limit=BLOCK)
            if len(points) < BLOCK:
                return made
            names, rows = _outline(points)
            values = {"run": run, "last": points[-1].n, "names": names, "rows": rows.tobytes()}
            with self._store.begin() as database:
                database.execute(insert(outlines).values(values))
            made += 1

    def read(self, run: str) -> tuple[pd.DataFrame | None, int]:
        """The outline in the form of `history.table`, and the number of the last event it covers.

        None if the run is too short for one. Do not use it for a run that was resumed: it may contain points that
        were repeated.
        """
        import pandas as pd

        chosen = select(outlines.c.last, outlines.c.names, outlines.c.rows).where(outlines.c.run == run)
        with self._store.begin() as database:
            found = database.execute(chosen.order_by(outlines.c.last)).all()
        if not found:
            return None, 0
        frames: dict[tuple[str, ...], list[np.ndarray]] = {}
        for _, names, rows in found:
            frames.setdefault(tuple(names), []).append(np.frombuffer(rows).reshape(-1, len(names)))
        tables = [pd.DataFrame(np.concatenate(several), columns=list(names)) for names, several in frames.items()]
        whole = tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True).sort_values("n")
        for name, codes in _CODES.items():
            whole[name] = np.array(codes, dtype=object)[whole[name].to_numpy(int)]
        whole = whole.astype({"n": "int64", "phase": "int64", "step": "int64"})
        return whole.reset_index(drop=True), int(found[-1][0])

    def _last(self, run: str) -> int:
        with self._store.begin() as database:
            return database.execute(select(func.max(outlines.c.last)).where(outlines.c.run == run)).scalar_one() or 0


def _outline(points: list[StoredEvent]) -> tuple[list[str], np.ndarray]:
    """Column names, and the points that show each curve's shape, with shape (kept, columns)."""
    table = history.rows(points)
    for name, codes in _CODES.items():
        table[name] = [codes.index(one) for one in table[name]]
    names = list(table)
    columns = {name: np.array([np.nan if one is None else one for one in table[name]], float) for name in names}
    keep = {0, len(points) - 1, *np.flatnonzero(columns["split"] == 1).tolist()}
    keep |= set((np.flatnonzero(np.diff(columns["phase"]) != 0) + 1).tolist())
    train = columns["split"] == 0
    for name in names:
        if name not in history.COLUMNS:
            keep |= _extremes(columns[name], train)
    kept = sorted(keep)
    return names, np.stack([columns[name][kept] for name in names], axis=1)


def _extremes(values: np.ndarray, train: np.ndarray) -> set[int]:
    """Indices of the highest and lowest value in each part of the block, and where numbers end or begin."""
    finite = np.flatnonzero(np.isfinite(values) & train)
    broken = np.flatnonzero(~np.isfinite(values) & train)
    if len(finite) == 0:
        return set()  # a value of another phase
    edges: Any = {int(place) for place in (broken[:1].tolist() + broken[-1:].tolist())}
    if len(finite) <= KEPT:
        return edges | set(finite.tolist())
    chosen = MinMaxDownsampler().downsample(np.ascontiguousarray(values[finite]), n_out=KEPT)
    return edges | {int(finite[one]) for one in chosen}

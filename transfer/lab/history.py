"""A run's points as a table, without those that a later attempt replaced."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from transfer.lab.records import StoredEvent

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("n", "split", "domain", "phase", "epoch", "step", "seconds")
KINDS = ("Point", "Resumed")


def table(events: Iterable[StoredEvent]) -> pd.DataFrame:
    """One row per point, in order: n, split, domain, phase, epoch, step, seconds, and one column per value.

    Args:
        events: a run's events of `KINDS`, in order.
    """
    import pandas as pd

    rows = [{"n": point.n, **_fields(point.body), **point.body["values"]} for point in valid(list(events))]
    return pd.DataFrame(rows, columns=None if rows else list(COLUMNS))


def rows(points: list[StoredEvent]) -> dict[str, list[Any]]:
    """The points by column, None where a point has no such value; faster than a table for many points."""
    names = dict.fromkeys(name for point in points for name in point.body["values"])
    found: dict[str, list[Any]] = {"n": [point.n for point in points]}
    found |= {name: [point.body[name] for point in points] for name in COLUMNS[1:]}
    return found | {name: [point.body["values"].get(name) for point in points] for name in names}


def valid(events: list[StoredEvent]) -> list[StoredEvent]:
    """The points that count: a resumed attempt repeats those after its checkpoint.

    Reads from the end. The steps of a split only ever grow, so an earlier point at the same or a
    later step was replaced, also by an attempt that found no checkpoint and started over.
    """
    kept: list[StoredEvent] = []
    resumed: dict[str, float] = {}
    begun: dict[tuple[str, str], tuple[float, int]] = {}
    for event in reversed(events):
        body = event.body
        domain = body["domain"]
        if event.kind == "Resumed":
            resumed[domain] = min(resumed.get(domain, math.inf), body["step"])
            if domain == "source":
                # The target comes after the source, so if the source continues, nothing of the target had been done.
                resumed["target"] = -math.inf
            continue
        place, series = (body["step"], body["phase"]), (domain, body["split"])
        if body["step"] <= resumed.get(domain, math.inf) and place < begun.get(series, (math.inf, 0)):
            begun[series] = place
            kept.append(event)
    return kept[::-1]


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in COLUMNS[1:]}

"""A run's points as a table, without those that a later attempt repeated."""

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
    """A row a point, in order: n, split, domain, phase, epoch, step, seconds, and a column a value.

    Args:
        events: a run's events of `KINDS`, in order.
    """
    import pandas as pd

    rows = [{"n": point.n, **_fields(point.body), **point.body["values"]} for point in valid(list(events))]
    return pd.DataFrame(rows, columns=None if rows else list(COLUMNS))


def rows(points: list[StoredEvent]) -> dict[str, list[Any]]:
    """The points by column, None where one has no such value; quicker than a table of many."""
    names = dict.fromkeys(name for point in points for name in point.body["values"])
    found: dict[str, list[Any]] = {"n": [point.n for point in points]}
    found |= {name: [point.body[name] for point in points] for name in COLUMNS[1:]}
    return found | {name: [point.body["values"].get(name) for point in points] for name in names}


def valid(events: list[StoredEvent]) -> list[StoredEvent]:
    """The points that count: a resumed attempt makes those after its checkpoint anew.

    Read from the end: steps of a split only ever grow, so an earlier point at the same step or
    after it was superseded, also by an attempt that found no checkpoint and began anew.
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
                # The target follows the source: nothing of it was done when the source goes on.
                resumed["target"] = -math.inf
            continue
        place, series = (body["step"], body["phase"]), (domain, body["split"])
        if body["step"] <= resumed.get(domain, math.inf) and place < begun.get(series, (math.inf, 0)):
            begun[series] = place
            kept.append(event)
    return kept[::-1]


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in COLUMNS[1:]}

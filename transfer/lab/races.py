"""Races: runs that are compared with each other at the same budget."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from sqlalchemy import and_, insert, or_, select

from transfer import catalog, ids, network_files, settings
from transfer.errors import RequestError, UnknownKey
from transfer.experiment import Experiment
from transfer.lab import lineage
from transfer.lab.records import Run, StoredEvent, events, members, races, runs, to_run, visible
from transfer.lab.store import Store, new_row

Currency = Literal["epochs", "images", "seconds"]
BASELINE = "from_scratch"
MOST_RUNS = 300


@dataclass(frozen=True)
class About:
    """What a race compares, and the budget of each run.

    Args:
        fields: the fields of the Experiment in which the competitors differ; one or two besides the seed.
        currency: what is equal for all.
        amount: how much of it; None: the usual epochs.
        title: the comparison in words.
    """

    fields: tuple[str, ...] = ("strategy",)
    currency: Currency = "epochs"
    amount: float | None = None
    title: str = ""


@dataclass(frozen=True)
class Race:
    """A race as stored; ``runs`` are ids in the order in which they were queued."""

    id: str
    created: float
    about: About
    runs: tuple[str, ...] = field(default=())


def entries(
    base: Experiment,
    values: Mapping[str, Sequence[Any]],
    currency: Currency = "epochs",
    amount: float | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    scratch: bool = True,
) -> tuple[list[Experiment], list[tuple[str, str]]]:
    """Every combination of the values at one budget for every seed, and the impossible ones, each with its reason.

    All competitors run with the first seed before any runs with the second, so that first results come early.

    Args:
        base: the settings that all share.
        values: the values to compare, by field.
        currency: what is equal for all.
        amount: how much of it; None: as in the base, or the default epochs.
        seeds: the seeds; each competitor runs once with each.
        scratch: whether to add each competitor's counterpart from random weights.

    Raises:
        RequestError: the budget has no amount.
    """
    budget = budget_fields(currency, amount, base)
    found: dict[str, Experiment] = {}
    refused: list[tuple[str, str]] = []
    for combination in itertools.product(*values.values()):
        change = dict(zip(values, combination, strict=True))
        for one in [change, *([change | {"strategy": BASELINE}] if scratch else [])]:
            try:
                asked = base.but(**_fitting(base, one), **budget, seed=0)
                catalog.check(asked)
            except RequestError as problem:
                refused.append((", ".join(str(value) for value in one.values()), str(problem)))
                continue
            found.setdefault(asked.fingerprint, asked)
    return [asked.but(seed=seed) for seed in seeds for asked in found.values()], refused


def budget_fields(currency: Currency, amount: float | None, base: Experiment) -> dict[str, Any]:
    """The fields of an Experiment that set exactly this budget.

    Raises:
        RequestError: no amount is given here or in the base; only epochs have a default.
    """
    granted = getattr(base, currency) if amount is None else amount if currency == "seconds" else int(amount)
    if granted is None and currency != "epochs":
        raise RequestError(f"An equal budget in {currency} needs an amount.", "none", f"Enter a number of {currency}.")
    return {"epochs": None, "images": None, "seconds": None} | {currency: granted}


def _fitting(base: Experiment, change: dict[str, Any]) -> dict[str, Any]:
    """The change and its consequences: another strategy has other options, and may need no labels."""
    strategy = catalog.strategies().get(change.get("strategy", base.strategy))
    if strategy is None:
        return change
    if strategy.key != base.strategy:
        change = change | {"options": {}}
    labels = change.get("labels_per_class", base.labels_per_class)
    if strategy.unlabelled and "labels_per_class" not in change:
        change = change | {"labels_per_class": 0}
    elif labels == 0 and not strategy.unlabelled:
        change = change | {"labels_per_class": 1}
    return change


class Races:
    """The races of a store.

    Args:
        store: the record of runs.
        tend: called after runs were queued.
    """

    def __init__(self, store: Store, tend: Callable[[], None]) -> None:
        self._store, self._tend = store, tend

    def start(self, experiments: Sequence[Experiment], about: About) -> str:
        """Queues all experiments as one group, or none of them; returns the race's id.

        Raises:
            RequestError: an experiment is impossible, or there are none or too many.
        """
        race = f"{time.strftime('%y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self._queue(race, experiments, {"id": race, "created": time.time(), "about": asdict(about)})
        return race

    def extend(self, race: str, more: int = 3) -> list[str]:
        """Queues every competitor again with that many new seeds; returns the ids of the new runs.

        Raises:
            RequestError: none of its runs is left, there would be too many, or a network's file has changed.
        """
        before = self.runs(race)
        for run in before:
            network_files.check(settings.run_folder(run.id))  # or seeds of two networks would be compared
        known = [run.experiment for run in before]
        if not known:
            raise RequestError("All runs of this race were deleted.", race, "Start a new race.")
        first = 1 + max(asked.seed for asked in known)
        arms = {asked.but(seed=0).fingerprint: asked for asked in known}
        fresh = [asked.but(seed=seed) for seed in range(first, first + more) for asked in arms.values()]
        return self._queue(race, fresh)

    def get(self, race: str) -> Race:
        """The race with that id; raises `UnknownKey` with the nearest one."""
        if not ids.is_id(race):
            raise UnknownKey("race", ids.shown(race), [one.id for one in self.newest(50)])
        with self._store.begin() as database:
            row = database.execute(select(races).where(races.c.id == race)).mappings().first()
            among = database.execute(_members_of(race)).scalars().all()
        if row is None:
            raise UnknownKey("race", race, [one.id for one in self.newest(50)])
        return _race(row, among)

    def newest(self, limit: int = 20) -> list[Race]:
        """The newest races, newest first, without the ids of their runs."""
        with self._store.begin() as database:
            rows = database.execute(select(races).order_by(races.c.created.desc()).limit(limit)).mappings().all()
        return [_race(row, ()) for row in rows]

    def runs(self, race: str) -> list[Run]:
        """The runs of a race in their current state, in the order in which they were queued."""
        chosen = select(runs).join(members, members.c.run == runs.c.id).where(members.c.race == race, visible)
        with self._store.begin() as database:
            rows = database.execute(chosen.order_by(runs.c.created, runs.c.id)).mappings().all()
        return [to_run(row) for row in rows]

    def of(self, chosen: Sequence[str]) -> dict[str, str]:
        """The race of each run that belongs to one; the newest if there are several."""
        wanted = select(members.c.run, members.c.race).where(members.c.run.in_(chosen)).order_by(members.c.race)
        with self._store.begin() as database:
            return {row.run: row.race for row in database.execute(wanted)}

    def news(self, after: Mapping[str, int]) -> list[tuple[str, StoredEvent]]:
        """The validation points on the target after a given event number of each run, with the run's id, in order."""
        if not after:
            return []
        body = events.c.body
        validated = and_(body["split"].as_string() == "validation", body["domain"].as_string() == "target")
        told = or_(and_(events.c.kind == "Point", validated), events.c.kind == "Resumed")
        columns = (events.c.run, events.c.n, events.c.time, events.c.kind, events.c.body)
        # One number per run: only within a run are events certain to become readable in order.
        new = or_(*(and_(events.c.run == run, events.c.n > number) for run, number in after.items()))
        wanted = (new, events.c.kind.in_(("Point", "Resumed")), told)
        with self._store.begin() as database:
            rows = database.execute(select(*columns).where(*wanted).order_by(events.c.n)).all()
        return [(row[0], StoredEvent(*row[1:])) for row in rows]

    def _queue(self, race: str, experiments: Sequence[Experiment], row: dict[str, Any] | None = None) -> list[str]:
        if not 0 < len(experiments) <= MOST_RUNS:
            raise RequestError(
                f"A race has 1 to {MOST_RUNS} runs.",
                f"{len(experiments)} runs",
                "Choose fewer values or fewer seeds." if experiments else "Choose values that work together.",
            )
        for asked in experiments:
            catalog.check(asked)
            lineage.check_parents(asked)
        made = [new_row(asked) for asked in experiments]
        for place, one in enumerate(made):
            one["created"] += place * 1e-5  # the queue is ordered by it
        with self._store.begin() as database:
            if row is not None:
                database.execute(insert(races).values(row))
            database.execute(insert(runs), made)
            database.execute(insert(members), [{"race": race, "run": one["id"]} for one in made])
        for asked, one in zip(experiments, made, strict=True):
            network_files.record(settings.run_folder(one["id"]), asked)
        self._tend()
        return [str(one["id"]) for one in made]


def _members_of(race: str) -> Any:
    chosen = select(runs.c.id).join(members, members.c.run == runs.c.id).where(members.c.race == race)
    return chosen.order_by(runs.c.created, runs.c.id)


def _race(row: Mapping[Any, Any], among: Iterable[str]) -> Race:
    about = dict(row["about"])
    about["fields"] = tuple(about["fields"])
    return Race(row["id"], row["created"], About(**about), tuple(among))

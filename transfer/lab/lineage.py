"""What came of a run, and what it came from: runs that begin with another run's network, or learn from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from transfer.experiment import Experiment
from transfer.lab.records import Run
from transfer.lab.store import Store

MARK = "run:"


@dataclass(frozen=True)
class Bond:
    """That one run took something from another.

    Args:
        parent: id of the run that gave it; it may have been deleted since.
        child: id of the run that took it.
        what: ``backbone`` when it began with the parent's network, ``teacher`` when it learned from it.
    """

    parent: str
    child: str
    what: str


def bonds(run: str, experiment: Experiment) -> list[Bond]:
    """The runs that an experiment names, none or up to two."""
    named = {"backbone": experiment.backbone, "teacher": str(experiment.options.get("teacher", ""))}
    return [Bond(name.removeprefix(MARK), run, what) for what, name in named.items() if name.startswith(MARK)]


def descendants(store: Store, run: str) -> list[Run]:
    """All runs that came of a run, directly or through others, nearest first; each once.

    Deleting the run takes nothing from those that have ended: a network that was begun with is kept for its
    descendants. One that waits or was paused could not go on once its teacher is gone.
    """
    found: dict[str, Run] = {}
    waiting = [run]
    while waiting:
        for child in store.children(waiting.pop(0)):
            if child.id not in found and child.id != run:
                found[child.id] = child
                waiting.append(child.id)
    return list(found.values())


def ancestors(store: Store, run: Run) -> Iterator[Bond]:
    """How a run came about, nearest first; ends at runs that name no other, or are deleted."""
    waiting, seen = [run], {run.id}
    while waiting:
        child = waiting.pop(0)
        for bond in bonds(child.id, child.experiment):
            yield bond
            parent = store.run(bond.parent)
            if parent is not None and parent.id not in seen:
                seen.add(parent.id)
                waiting.append(parent)

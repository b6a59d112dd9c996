"""Where a run came from and what was built on it: runs that start from another run's network, or learn from it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from transfer import ids, network_files, settings
from transfer.backbones import run_network
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.lab.records import Run
from transfer.lab.store import Store

MARK = "run:"


@dataclass(frozen=True)
class Bond:
    """A link between two runs: one took something from the other.

    Args:
        parent: id of the run that gave it; it may have been deleted since.
        child: id of the run that took it.
        what: ``backbone`` if the child started from the parent's network, ``teacher`` if it learned from it.
    """

    parent: str
    child: str
    what: str


def bonds(run: str, experiment: Experiment) -> list[Bond]:
    """The runs that an experiment names, up to two; names that cannot be run ids are left out."""
    named = {"backbone": experiment.backbone, "teacher": str(experiment.options.get("teacher", ""))}
    parents = {what: name.removeprefix(MARK) for what, name in named.items() if name.startswith(MARK)}
    return [Bond(parent, run, what) for what, parent in parents.items() if ids.is_id(parent)]


def descendants(store: Store, run: str) -> list[Run]:
    """All runs built on a run, directly or through others, nearest first; each once.

    Discarding the run does not affect them: its files stay as long as one of them exists.
    """
    found: dict[str, Run] = {}
    waiting = [run]
    while waiting:
        for child in store.children(waiting.pop(0)):
            if child.id not in found and child.id != run:
                found[child.id] = child
                waiting.append(child.id)
    return list(found.values())


def ancestors(run: Run) -> list[Bond]:
    """What a run was built on, nearest first; includes discarded runs as long as their files exist."""
    return list(dict.fromkeys(_earlier(run.id, run.experiment)))


def experiment_of(run: str) -> Experiment | None:
    """A run's experiment, read from its files; works for a discarded run as long as they exist."""
    try:
        return Experiment(**json.loads((settings.run_folder(run) / "experiment.json").read_text()))
    except (OSError, ValueError, RequestError):
        return None


def check_parents(experiment: Experiment) -> None:
    """Raises `RequestError` if a run that this one starts from, or learns from, depends on a file that has changed."""
    for bond in bonds("", experiment):
        # A network that was packed when it was first needed no longer depends on anything.
        if bond.what == "teacher" or not run_network.packed(bond.parent).exists():
            network_files.check(settings.run_folder(bond.parent))


def unneeded(store: Store, discarded: Run) -> list[str]:
    """Ids of the runs whose files no other run needs without this one: itself and its discarded ancestors."""
    heirs = [heir for heir in store.children() if heir.id != discarded.id]
    needed = {bond.parent for heir in heirs for bond in ancestors(heir)}
    lost = [bond.parent for bond in ancestors(discarded) if store.run(bond.parent) is None]
    return [run for run in dict.fromkeys([discarded.id, *lost]) if run not in needed]


def _earlier(run: str, experiment: Experiment) -> Iterator[Bond]:
    """Like `ancestors`, from the experiments stored with the files, including those of discarded runs."""
    waiting = bonds(run, experiment)
    while waiting:
        bond = waiting.pop(0)
        yield bond
        asked = experiment_of(bond.parent)
        waiting += bonds(bond.parent, asked) if asked else []

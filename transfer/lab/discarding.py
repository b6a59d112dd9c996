"""The only code that removes a run for good, for Discard, for Delete after ten minutes, and for workers.

A run is marked first, then its files are deleted, then its record. If the process is killed in between, the mark
stays, and the next `Lab.reconcile` finishes the work.
"""

from __future__ import annotations

from collections.abc import Sequence

from transfer import removal, settings
from transfer.backbones import run_network
from transfer.lab import lineage
from transfer.lab.records import Run, State
from transfer.lab.store import Store


def check(run: str) -> None:
    """Raises `RequestError` if the run's files are in a place where the lab never deletes."""
    removal.check(settings.runs_folder() / run)


def discard(store: Store, run: Run, unless: Sequence[State]) -> bool:
    """Removes a run unless it is in one of those states; returns whether it did.

    Args:
        store: the record of runs.
        run: the run as last read.
        unless: states in which it is left alone, including ``running``: a running run belongs to its process.
    """
    if not store.doom(run.id, unless):
        return False
    finish(store, run)
    return True


def finish(store: Store, run: Run) -> None:
    """Removes a run that no process works on any more, and the files that no other run needs.

    If other runs were built on it, its files stay until the last of those is removed.

    Raises:
        LabError: some files could not be removed; the record stays, so that removal is tried again.
    """
    for gone in lineage.unneeded(store, run):
        removal.remove(settings.runs_folder() / gone)
        packed = run_network.packed(gone)
        if removal.is_inside(packed):  # a cache that was moved to another disk is not the lab's to clear
            removal.remove(packed)
    store.delete(run.id)

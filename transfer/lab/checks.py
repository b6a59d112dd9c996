"""What the command line checks before it records a run."""

from __future__ import annotations

from transfer import catalog, counted
from transfer.engine.samples import splits
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.lab.lab import Lab
from transfer.lab.records import Run


def check(experiment: Experiment) -> None:
    """Like `catalog.check`, after counting the target's pictures if that needs no download.

    Raises:
        RequestError: the experiment is impossible.
    """
    catalog.check(experiment)
    target = catalog.dataset(experiment.target)
    if experiment.labels_per_class and counted.is_here(target):
        splits.count(target)
        catalog.check(experiment)


def withdraw_if_impossible(lab: Lab, run: Run) -> None:
    """Removes a failed run whose experiment turns out to be impossible, now that its data can be read.

    Raises:
        RequestError: its experiment is impossible; the run has been removed.
    """
    try:
        catalog.check(run.experiment)
    except RequestError as problem:
        # A run that failed for another reason stays, even if its folder has been removed since.
        if str(problem) == run.error:
            lab.discard(run.id)
            raise

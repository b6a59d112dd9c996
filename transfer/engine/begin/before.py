"""What a run's network has learned before its target is trained on, judged by the samples that are really there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transfer import catalog
from transfer.engine.samples.splits import Split
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.modalities import kind
from transfer.seen import TrainedOn, Verdict, contents, record
from transfer.seen.origins import origins


@dataclass(frozen=True)
class Before:
    """What went into a network before, and what follows.

    Args:
        lessons: all that it, its teacher and its source have learned.
        verdict: on the run; never a refusal.
    """

    trained_on: tuple[TrainedOn, ...] = ()
    verdict: Verdict = Verdict()

    @property
    def metrics(self) -> dict[str, Any]:
        """For the run's record: what has to be said of it, and labels it did not grant; None: nobody can count them."""
        return {
            "remarks": list(self.verdict.remarks),
            "more_labels_seen": self.verdict.more_labels,
            "labels_seen_before": self.verdict.labels,
        }


def judged(experiment: Experiment, target: Split, source: Split | None) -> Before:
    """What the network of an experiment has learned before.

    Args:
        experiment: possible, as far as `catalog.check` could know.
        target: its split.
        source: the source's, if one is learned.

    Raises:
        ImpossibleExperiment: the network has, or may have, learned test samples.
    """
    learned = source.prints if source else None
    verdict = catalog.judged(experiment, target.prints, learned)
    if verdict.refusal is not None:
        words = kind(catalog.dataset(experiment.target).modality).words
        raise ImpossibleExperiment(
            words(verdict.refusal.wrong), verdict.refusal.received, words(verdict.refusal.remedy)
        )
    kept = [
        one if one.run or source is None else replace(one, split=source.fingerprint, parts=None)
        for one in catalog.trained_on(experiment, learned)
    ]
    return Before(tuple(kept), verdict)


def after(before: Before, experiment: Experiment, target: Split, unlabelled: bool, run: str) -> list[TrainedOn]:
    """All that the network of a run has learned once the run is over.

    Args:
        before: what it had learned before.
        experiment: what was run.
        target: its split.
        unlabelled: whether samples without labels were learned from, too.
        run: its id.
    """
    where = origins(experiment.target, catalog.dataset(experiment.target))
    drawn, labels = tuple(sorted(where.trained)), experiment.labels_per_class
    own = TrainedOn(experiment.target, experiment.seed, labels, target.fingerprint, where.name, drawn, unlabelled)
    return [one if one.run else replace(one, run=run) for one in (*before.trained_on, own)]


def recorded(folder: Path, role: str, key: str, seed: int, split: Split, resumed: bool) -> None:
    """Keeps which samples a run uses; a run that goes on has to find those that it began with.

    Args:
        folder: of the run.
        role: ``target`` or ``source``.
        key: of the data set.
        seed: of the split.
        split: as it is now.
        resumed: whether the run goes on from a checkpoint.

    Raises:
        DataChanged: the samples are others than those that the run began with.
    """
    dataset = catalog.dataset(key)
    shape = tuple(split.train.inputs.shape[1:])
    now = record.Record(key, seed, split.fingerprint, split.published, split.classes, shape, dataset.stamp)
    then = record.read(folder, role)
    if resumed and then is not None and then.split != now.split:
        known = contents.load(then.split)
        words = record.changes(known, split.prints).in_words if known else ""
        raise record.refuse(then, words or record.since(then, catalog.datasets()) or "its pixels or labels")
    if then != now:
        record.keep(folder, role, now)

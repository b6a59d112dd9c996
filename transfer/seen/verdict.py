"""The one place that decides what a network's earlier training means for a run.

Allowed: nothing in this run's test part was trained on. Allowed with a remark: labels that this run leaves out, or
its validation pictures, were used. Refused: a test picture was, or may have been, used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transfer.errors import ImpossibleExperiment
from transfer.seen.origins import Origins, canonical
from transfer.seen.prints import Parts, Prints, joined
from transfer.seen.trained_on import TrainedOn

OTHER_NETWORK = "Start from another network, or choose a target that shares no pictures with it."
OTHER_SOURCE = "Choose another source, or a target that shares no pictures with it."


@dataclass(frozen=True)
class Subject:
    """The run to judge.

    Args:
        target: key of its target.
        origins: origins of the target.
        seed: seed of its split.
        labels: labels per class that it uses; None: all.
        parts: the pictures of its split, or None while they are unknown.
    """

    target: str
    origins: Origins
    seed: int
    labels: int | None
    parts: Parts | None = None


@dataclass(frozen=True)
class Verdict:
    """The verdict on a network's earlier training.

    Args:
        refusal: why the run is refused; None if it is allowed.
        remarks: remarks on the run, one sentence each.
        more_labels: whether the network was trained on labels of these training pictures that the run leaves out.
        labels: how many these are; None if they cannot be counted.
    """

    refusal: ImpossibleExperiment | None = None
    remarks: tuple[str, ...] = ()
    more_labels: bool = False
    labels: int | None = 0


def judged(run: Subject, trained_on: Sequence[TrainedOn]) -> Verdict:
    """The verdict on a run, given what its network, its teacher and its source have been trained on.

    Pictures are compared by content if both sides are known, whatever the data sets are called. If they
    are not, or if two data sets change one collection in different ways, declared origins decide, and doubt
    counts against the run. Duplicates between the run's own training and test parts are no reason to refuse it:
    it would have them without this network too, and it reports them.

    Args:
        run: the run to judge.
        lessons: what the network it starts from was trained on, in any order.
    """
    remarks: list[str] = []
    for training in trained_on:
        refusal = _by_content(run, training) or _by_origin(run, training)
        if refusal is not None:
            return Verdict(refusal)
        remarks += [said for said in (_validated(run, training), _unrecorded(run, training)) if said]
    more, count, labels = _labels(run, trained_on)
    return Verdict(None, tuple(dict.fromkeys([*labels, *remarks])), more, count)


def trained(training: TrainedOn) -> Prints | None:
    """The pictures that a lesson trained on; None if they were not stored."""
    known = training.known
    if known is None:
        return None
    return joined([known["train"], known["unlabelled"]]) if training.unlabelled else known["train"]


def _by_content(run: Subject, training: TrainedOn) -> ImpossibleExperiment | None:
    known = trained(training)
    if known is None or run.parts is None:
        return None
    test = run.parts["test"]
    # Pictures in both parts of this very run are reported as duplicates; every network trained on it has seen them.
    leaked = int((test.among(known) & ~test.among(run.parts["unlabelled"])).sum())
    if not leaked:
        return None
    changed = training.name == run.origins.name and training.seed == run.seed
    why = ", and the data set has changed since" if changed else ""
    remedy = "Put the pictures back as they were, or start from another network." if changed else _other(training)
    return _refused(f"{leaked:,} of the {len(test):,} test pictures were trained on{why}", run, training, remedy)


def _by_origin(run: Subject, training: TrainedOn) -> ImpossibleExperiment | None:
    if not _collections(training) & run.origins.tested:
        return None
    if _name(training) != run.origins.name:
        return _refused("both are drawn from the same pictures", run, training, _other(training))
    if training.seed == run.seed:
        return None
    return _refused(
        "it was trained on another split", run, training, f"Choose seed {training.seed}, or another target."
    )


def _other(training: TrainedOn) -> str:
    return OTHER_NETWORK if training.run else OTHER_SOURCE


def _refused(why: str, run: Subject, training: TrainedOn, remedy: str) -> ImpossibleExperiment:
    return ImpossibleExperiment(
        f"The network may have seen this run's test pictures: {why}.",
        f"{training.in_words}; now the target {run.target}, seed {run.seed}", remedy,
    )  # fmt: skip


def _validated(run: Subject, training: TrainedOn) -> str:
    known, count, several = trained(training), 0, ""
    if known is not None and run.parts is not None:
        validation = run.parts["validation"]
        count = int((validation.among(known) & ~validation.among(run.parts["unlabelled"])).sum())
        several = f"{count:,} of the {len(validation):,} validation pictures were used" if count else ""
    if not count and _in_doubt(run, training) and (_name(training), training.seed) != (run.origins.name, run.seed):
        several = "Some of the validation pictures may have been used"
    if not several:
        return ""
    return (
        f"{several} in earlier training ({training.in_words}). Validation looks better than it is, and it chooses the "
        "best epoch. The test pictures are new to the network."
    )


def _in_doubt(run: Subject, training: TrainedOn) -> bool:
    """Whether there may be shared pictures that comparing contents does not reveal."""
    if not _collections(training) & run.origins.trained:
        return False
    # One collection may have been changed in two ways, so that no picture equals its original.
    return run.parts is None or training.known is None or _name(training) != run.origins.name


def _unrecorded(run: Subject, training: TrainedOn) -> str:
    if training.split or not training.run or not _collections(training) & run.origins.trained:
        return ""
    if not run.origins.name.startswith("folder:"):
        return ""  # a published data set does not change
    return (
        f"The network comes from an older version of the lab ({training.in_words}), which kept no record of its "
        "pictures. If they have changed since, it may have seen test pictures."
    )


def _labels(run: Subject, trained_on: Sequence[TrainedOn]) -> tuple[bool, int | None, list[str]]:
    """Whether labels were used that this run leaves out, how many, and a sentence about it."""
    if run.labels is None:
        return False, 0, []
    counted, uncounted = [], []
    for training in trained_on:
        known = training.known
        if training.labels == 0:
            continue
        if known is not None and run.parts is not None:
            counted.append((training, known["train"]))
        if _in_doubt(run, training) and _more(run, training):
            uncounted.append(training)
    where = [training.in_words for training in uncounted]
    count = 0
    if run.parts is not None:
        mine = run.parts["unlabelled"]
        beyond = ~mine.among(run.parts["train"])
        where = [training.in_words for training, one in counted if (mine.among(one) & beyond).any()] + where
        count = int((mine.among(*(one for _, one in counted)) & beyond).sum())
    if not where:
        return False, 0, []
    many = f"{count:,} labels" if not uncounted and count else "labels"
    granted = f"{run.labels} label{'' if run.labels == 1 else 's'} per class"
    said = (
        f"This is not learning from {granted}: the network has already used {many} of these training pictures that "
        f"the run leaves out ({'; '.join(dict.fromkeys(where))}). The accuracy cannot be attributed to {granted}."
    )
    return True, None if uncounted else count, [said]


def _more(run: Subject, training: TrainedOn) -> bool:
    """Whether a lesson on the same pictures may have used labels that the run leaves out."""
    if _name(training) != run.origins.name or training.seed != run.seed:
        return True
    return training.labels is None or training.labels > (run.labels or 0)


def _name(training: TrainedOn) -> str:
    return training.name or canonical(training.data)


def _collections(training: TrainedOn) -> frozenset[str]:
    return frozenset(training.drawn_from) or frozenset({_name(training)})

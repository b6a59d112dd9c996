"""The one place that decides what it means for a run that its network has learned before.

Allowed: nothing of this run's test part was learned. Allowed with a remark: labels that this run does not grant, or
pictures that it validates with, were. Refused: a test picture was, or may have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transfer.errors import ImpossibleExperiment
from transfer.seen.lessons import Lesson
from transfer.seen.origins import Origins, canonical
from transfer.seen.prints import Parts, Prints, joined

OTHER_NETWORK = "Begin with another network, or choose a target that shares no pictures with it."
OTHER_SOURCE = "Choose another source, or a target that shares no pictures with it."


@dataclass(frozen=True)
class Subject:
    """The run that is judged.

    Args:
        target: key of its target.
        origins: of the target.
        seed: of its split.
        labels: labels a class that it grants; None: all.
        parts: the pictures of its split, or None while they are not known.
    """

    target: str
    origins: Origins
    seed: int
    labels: int | None
    parts: Parts | None = None


@dataclass(frozen=True)
class Verdict:
    """What follows from what a network has learned.

    Args:
        refusal: why the run may not be; None when it may.
        remarks: what has to be said of it, a sentence each.
        more_labels: whether the network has learned labels of these training pictures that the run does not grant.
        labels: how many those are; None when nobody can count them.
    """

    refusal: ImpossibleExperiment | None = None
    remarks: tuple[str, ...] = ()
    more_labels: bool = False
    labels: int | None = 0


def judged(run: Subject, lessons: Sequence[Lesson]) -> Verdict:
    """What follows for a run from what its network, its teacher and its source have learned.

    Pictures are compared by their content where both sides are known, whatever the data sets are called. Where they
    are not, or two data sets change one collection in different ways, their declared origins decide, and a doubt
    counts against the run. Copies that the run has in its own training and test parts are no reason to refuse it:
    it would have them without the network, too, and tells of them.

    Args:
        run: what is to be run.
        lessons: what went into the network it begins with, in any order.
    """
    remarks: list[str] = []
    for lesson in lessons:
        refusal = _by_content(run, lesson) or _by_origin(run, lesson)
        if refusal is not None:
            return Verdict(refusal)
        remarks += [said for said in (_validated(run, lesson), _unrecorded(run, lesson)) if said]
    more, count, labels = _labels(run, lessons)
    return Verdict(None, tuple(dict.fromkeys([*labels, *remarks])), more, count)


def trained(lesson: Lesson) -> Prints | None:
    """The pictures that were trained on in a lesson; None where nobody kept them."""
    known = lesson.known
    if known is None:
        return None
    return joined([known["train"], known["unlabelled"]]) if lesson.unlabelled else known["train"]


def _by_content(run: Subject, lesson: Lesson) -> ImpossibleExperiment | None:
    known = trained(lesson)
    if known is None or run.parts is None:
        return None
    test = run.parts["test"]
    # Pictures in both parts of this very run are told as copies; every network that learns it has seen them.
    leaked = int((test.among(known) & ~test.among(run.parts["unlabelled"])).sum())
    if not leaked:
        return None
    changed = lesson.name == run.origins.name and lesson.seed == run.seed
    why = ", and the data set has changed since" if changed else ""
    remedy = "Put the pictures back as they were, or begin with another network." if changed else _other(lesson)
    return _refused(f"{leaked:,} of the {len(test):,} test pictures were trained on{why}", run, lesson, remedy)


def _by_origin(run: Subject, lesson: Lesson) -> ImpossibleExperiment | None:
    if not _collections(lesson) & run.origins.tested:
        return None
    if _name(lesson) != run.origins.name:
        return _refused("both are drawn from the same pictures", run, lesson, _other(lesson))
    if lesson.seed == run.seed:
        return None
    return _refused("it learned another split", run, lesson, f"Choose seed {lesson.seed}, or another target.")


def _other(lesson: Lesson) -> str:
    return OTHER_NETWORK if lesson.run else OTHER_SOURCE


def _refused(why: str, run: Subject, lesson: Lesson, remedy: str) -> ImpossibleExperiment:
    return ImpossibleExperiment(
        f"The network may have seen this one's test pictures: {why}.",
        f"{lesson.in_words}; now the target {run.target}, seed {run.seed}", remedy,
    )  # fmt: skip


def _validated(run: Subject, lesson: Lesson) -> str:
    known, count, several = trained(lesson), 0, ""
    if known is not None and run.parts is not None:
        validation = run.parts["validation"]
        count = int((validation.among(known) & ~validation.among(run.parts["unlabelled"])).sum())
        several = f"{count:,} of the {len(validation):,} validation pictures were" if count else ""
    if not count and _in_doubt(run, lesson) and (_name(lesson), lesson.seed) != (run.origins.name, run.seed):
        several = "Some of the validation pictures may have been"
    if not several:
        return ""
    return (
        f"{several} trained on before ({lesson.in_words}): validation looks better than it is, and the choice of the "
        "best epoch leans on it. The test pictures are new to the network."
    )


def _in_doubt(run: Subject, lesson: Lesson) -> bool:
    """Whether pictures may be shared that comparing their content does not show."""
    if not _collections(lesson) & run.origins.trained:
        return False
    # One collection may be changed in two ways, so that no picture is equal to what it was made from.
    return run.parts is None or lesson.known is None or _name(lesson) != run.origins.name


def _unrecorded(run: Subject, lesson: Lesson) -> str:
    if lesson.split or not lesson.run or not _collections(lesson) & run.origins.trained:
        return ""
    if not run.origins.name.startswith("folder:"):
        return ""  # what is published does not change
    return (
        f"The network comes from an older version of the lab ({lesson.in_words}), which kept no record of its "
        "pictures: if they have changed since, nobody can tell whether it has seen test pictures."
    )


def _labels(run: Subject, lessons: Sequence[Lesson]) -> tuple[bool, int | None, list[str]]:
    """Whether labels were learned that this run does not grant, how many, and that in a sentence."""
    if run.labels is None:
        return False, 0, []
    counted, uncounted = [], []
    for lesson in lessons:
        known = lesson.known
        if lesson.labels == 0:
            continue
        if known is not None and run.parts is not None:
            counted.append((lesson, known["train"]))
        if _in_doubt(run, lesson) and _more(run, lesson):
            uncounted.append(lesson)
    where = [lesson.in_words for lesson in uncounted]
    count = 0
    if run.parts is not None:
        mine = run.parts["unlabelled"]
        beyond = ~mine.among(run.parts["train"])
        where = [lesson.in_words for lesson, one in counted if (mine.among(one) & beyond).any()] + where
        count = int((mine.among(*(one for _, one in counted)) & beyond).sum())
    if not where:
        return False, 0, []
    many = f"{count:,} labels" if not uncounted and count else "labels"
    granted = f"{run.labels} label{'' if run.labels == 1 else 's'} a class"
    said = (
        f"This is not learning from {granted}: the network has learned {many} of these training pictures before that "
        f"the run does not grant ({'; '.join(dict.fromkeys(where))}). The accuracy cannot be put down to {granted}."
    )
    return True, None if uncounted else count, [said]


def _more(run: Subject, lesson: Lesson) -> bool:
    """Whether a lesson on the same pictures may have had labels that the run does not grant."""
    if _name(lesson) != run.origins.name or lesson.seed != run.seed:
        return True
    return lesson.labels is None or lesson.labels > (run.labels or 0)


def _name(lesson: Lesson) -> str:
    return lesson.name or canonical(lesson.data)


def _collections(lesson: Lesson) -> frozenset[str]:
    return frozenset(lesson.drawn_from) or frozenset({_name(lesson)})

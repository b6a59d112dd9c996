"""What a network learned from, step by step, as it is kept beside the run that trained it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from transfer import settings
from transfer.seen import contents
from transfer.seen.prints import Prints

ABOUT = "network.json"


@dataclass(frozen=True)
class Lesson:
    """One data set that a network, or its teacher, was trained on.

    Args:
        data: key of the data set, as it was spelled then.
        seed: of its split.
        labels: labels a class; None: all there were.
        split: fingerprint of the split, under which its pictures are kept; empty where nobody kept them.
        name: of the data set, equal for all its spellings (`transfer.seen.origins`); empty in old records.
        drawn_from: collections that its training part was drawn from; empty in old records.
        unlabelled: whether all training pictures were learned from, those without a label too.
        run: id of the run that learned it; empty for the one that is to come.
        parts: its pictures, where they are known and not kept; never written.
    """

    data: str
    seed: int
    labels: int | None = None
    split: str = ""
    name: str = ""
    drawn_from: tuple[str, ...] = ()
    unlabelled: bool = False
    run: str = ""
    parts: dict[str, Prints] | None = field(default=None, compare=False, repr=False)

    @property
    def known(self) -> dict[str, Prints] | None:
        """Its pictures by part, or None where nobody kept them."""
        found = self.parts or contents.load(self.split)
        return None if found is None else dict(found)

    @property
    def in_words(self) -> str:
        """What was learned where: ``mnist_5k, seed 0, in run 260101-1``."""
        return f"{self.data}, seed {self.seed}" + (f", in run {self.run}" if self.run else "")

    def record(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "parts"}


def of_record(record: dict[str, Any]) -> Lesson:
    """The lesson that `Lesson.record` took apart; fields of a later version are left out."""
    known = {one.name for one in fields(Lesson)} - {"parts"}
    made = {name: value for name, value in record.items() if name in known}
    return Lesson(**(made | {"drawn_from": tuple(made.get("drawn_from", ()))}))


def of_about(about: dict[str, Any], run: str) -> tuple[Lesson, ...]:
    """The lessons in what a run says of its network.

    An older version of the lab kept names and seeds alone, and forgot what a teacher had learned.
    """
    if "lessons" in about:
        return tuple(of_record(one) for one in about["lessons"])
    return (*(Lesson(data, seed, run=run) for data, seed in about.get("learned", [])), *_of_teacher(run))


def of_run(run: str) -> tuple[Lesson, ...]:
    """What the network of a run has learned; empty when the run has left no word of it."""
    try:
        return of_about(json.loads((settings.run_folder(run) / ABOUT).read_text()), run)
    except (OSError, ValueError):
        return ()


def _of_teacher(run: str) -> tuple[Lesson, ...]:
    try:
        asked = json.loads((settings.run_folder(run) / "experiment.json").read_text())
    except (OSError, ValueError):
        return ()
    teacher = str(asked.get("options", {}).get("teacher", ""))
    return of_run(teacher.removeprefix("run:")) if teacher.startswith("run:") else ()

"""What a network was trained on, step by step, as stored with the run that trained it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from transfer import settings
from transfer.seen import contents
from transfer.seen.prints import Prints

ABOUT = "network.json"


@dataclass(frozen=True)
class TrainedOn:
    """One data set that a network, or its teacher, was trained on.

    Args:
        data: key of the data set, as spelled at the time.
        seed: seed of its split.
        labels: labels per class; None: all.
        split: fingerprint of the split, under which its pictures are stored; empty if they were not stored.
        name: name of the data set, the same for all its spellings (`transfer.seen.origins`); empty in old records.
        drawn_from: collections that its training part was drawn from; empty in old records.
        unlabelled: whether all training pictures were used, including those without a label.
        run: id of the run that learned it; empty for the run to come.
        parts: its pictures, if known but not stored; never written.
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
        """Its pictures by part, or None if they were not stored."""
        found = self.parts or contents.load(self.split)
        return None if found is None else dict(found)

    @property
    def in_words(self) -> str:
        """The data and the run in words: ``mnist_5k, seed 0, in run 260101-1``."""
        return f"{self.data}, seed {self.seed}" + (f", in run {self.run}" if self.run else "")

    def record(self) -> dict[str, Any]:
        """The lesson as JSON values."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "parts"}


def of_record(record: dict[str, Any]) -> TrainedOn:
    """The lesson from the output of `TrainedOn.record`; ignores fields of a later version."""
    known = {one.name for one in fields(TrainedOn)} - {"parts"}
    made = {name: value for name, value in record.items() if name in known}
    return TrainedOn(**(made | {"drawn_from": tuple(made.get("drawn_from", ()))}))


def of_about(about: dict[str, Any], run: str) -> tuple[TrainedOn, ...]:
    """The lessons in a run's description of its network.

    Older versions of the lab stored only names and seeds, without what a teacher had learned.
    """
    if "lessons" in about:
        return tuple(of_record(one) for one in about["lessons"])
    return (*(TrainedOn(data, seed, run=run) for data, seed in about.get("learned", [])), *_of_teacher(run))


def of_run(run: str) -> tuple[TrainedOn, ...]:
    """What the network of a run has learned; empty if the run stored no record of it."""
    try:
        return of_about(json.loads((settings.run_folder(run) / ABOUT).read_text()), run)
    except (OSError, ValueError):
        return ()


def _of_teacher(run: str) -> tuple[TrainedOn, ...]:
    try:
        asked = json.loads((settings.run_folder(run) / "experiment.json").read_text())
    except (OSError, ValueError):
        return ()
    teacher = str(asked.get("options", {}).get("teacher", ""))
    return of_run(teacher.removeprefix("run:")) if teacher.startswith("run:") else ()

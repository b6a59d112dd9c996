"""What an experiment's network will have been trained on before its target, and the verdict on that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from transfer.datasets import Dataset
from transfer.datasets.corrupted import base
from transfer.experiment import Experiment
from transfer.seen import contents, trained_on
from transfer.seen.origins import origins
from transfer.seen.prints import Parts
from transfer.seen.trained_on import TrainedOn
from transfer.seen.verdict import Subject, Verdict, judged

RUN = "run:"


class Chosen(Protocol):
    """The attributes of a strategy that are read here."""

    @property
    def start(self) -> Any: ...  # noqa: D102  # as a Strategy has it
    @property
    def reads_source(self) -> bool: ...  # noqa: D102  # as a Strategy has it
    @property
    def teacher(self) -> str: ...  # noqa: D102  # as a Strategy has it


class Network(Protocol):
    """The attributes of a backbone that are read here."""

    @property
    def trained_on(self) -> tuple[TrainedOn, ...]: ...  # noqa: D102  # as a Backbone has it
    @property
    def pretrained(self) -> Any: ...  # noqa: D102  # as a Backbone has it


def verdict(
    experiment: Experiment,
    chosen: Chosen,
    network: Network,
    teacher: Network | None,
    known: Mapping[str, Dataset],
    parts: Parts | None = None,
    source: Parts | None = None,
) -> Verdict:
    """The verdict on an experiment, given what its network has been trained on.

    Args:
        experiment: the experiment to run.
        chosen: its strategy.
        network: its backbone.
        teacher: the backbone its teacher starts from, if the teacher has its own.
        known: data sets by key; `get` returns None for one that cannot be opened.
        parts: the pictures of the target's split; None: those that are known without reading much.
        source: likewise for the source's split.
    """
    taught = learned(experiment, chosen, network, teacher, known, source)
    target = known.get(experiment.target)
    where = origins(experiment.target, target)
    if parts is None and target is not None and taught:
        parts = _foreseen(target, known, experiment.seed, experiment.labels_per_class)
    found = judged(Subject(experiment.target, where, experiment.seed, experiment.labels_per_class, parts), taught)
    own = _weights(experiment, chosen, network)
    if found.refusal is None and own in where.tested:
        said = f"The weights come from {own}, of which {experiment.target} is a part: they may have seen test pictures."
        return replace(found, remarks=(*found.remarks, said))
    return found


def learned(
    experiment: Experiment,
    chosen: Chosen,
    network: Network,
    teacher: Network | None,
    known: Mapping[str, Dataset],
    source: Parts | None = None,
) -> list[TrainedOn]:
    """Everything that the run's network, or its teacher's, is trained on before the target.

    Args as for `verdict`.
    """
    from_source: list[TrainedOn] = []
    if experiment.source is not None:
        from_source = [TrainedOn(experiment.source, experiment.seed, parts=None if source is None else dict(source))]
    begins = from_source or list(network.trained_on)
    found = from_source if chosen.reads_source else []
    if chosen.start != "random":
        found = begins
    if chosen.teacher.startswith(RUN):
        found = [*found, *trained_on.of_run(chosen.teacher.removeprefix(RUN))]
    elif chosen.teacher and teacher is not None:
        found = [*found, *(from_source if teacher.pretrained is None else teacher.trained_on)]
    elif chosen.teacher:
        found = [*found, *begins]
    return [_completed(one, known) for one in dict.fromkeys(found)]


def _foreseen(dataset: Dataset, known: Mapping[str, Dataset], seed: int, labels: int | None) -> Parts | None:
    opened = known.get(base(dataset.key))
    return None if opened is None else contents.foreseen(dataset, opened, seed, labels)


def _completed(training: TrainedOn, known: Mapping[str, Dataset]) -> TrainedOn:
    """Completed with today's declared origins and pictures: an old record has few or none."""
    dataset = known.get(training.data)
    now = origins(training.data, dataset)
    if training.known is None and dataset is not None:
        parts = _foreseen(dataset, known, training.seed, training.labels)
        training = replace(training, parts=None if parts is None else dict(parts))
    name = training.name or now.name
    # A folder's path may point elsewhere by now: the declared origins are those of the data set that was learned.
    drawn = now.trained if now.name == name else frozenset({name})
    return replace(training, name=name, drawn_from=tuple(sorted(drawn | set(training.drawn_from))))


def _weights(experiment: Experiment, chosen: Chosen, network: Network) -> str:
    if chosen.start == "random" or experiment.source is not None or network.pretrained is None:
        return ""
    return "ImageNet" if "ImageNet" in network.pretrained.source else ""

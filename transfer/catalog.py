"""Finds data sets, backbones and strategies by walking their folders; there is no list to edit.

Nothing here imports TensorFlow: plug-in files import it inside their functions.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

import transfer.backbones
import transfer.datasets
import transfer.strategies
from transfer import counted, fixed, modalities, settings, void
from transfer.backbones import Backbone
from transfer.datasets import Dataset, Family
from transfer.datasets.corrupted import MARK, is_variant, variant
from transfer.errors import ImpossibleExperiment, RequestError, UnknownKey
from transfer.experiment import Experiment, together
from transfer.seen import TrainedOn, Verdict, of_experiment
from transfer.seen.origins import same
from transfer.seen.prints import Parts
from transfer.strategies import Strategy

T = TypeVar("T")


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        yield importlib.import_module(module.name)


def _instances(package: ModuleType, kind: type[T]) -> Iterator[T]:
    for module in _modules(package):
        for value in vars(module).values():
            several = value if isinstance(value, list | tuple) else [value]
            yield from (item for item in several if isinstance(item, kind))


class _Datasets(dict[str, Dataset]):
    """Data sets by key. Those of a family (``folder:/data/flowers``) and corrupted variants (``mnist_5k~noise:3``)
    are created on request and not listed."""

    def __missing__(self, key: str) -> Dataset:
        prefix, colon, rest = key.partition(":")
        family = families().get(prefix) if colon else None
        if is_variant(key) or (MARK in key and family is None):
            return variant(key, self)
        return family.open(rest) if family else _pick("data set", key, dict(self))

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's, families and variants included; what cannot be opened counts as missing."""
        try:
            return self[key]
        except RequestError:
            return default


@cache
def datasets() -> dict[str, Dataset]:
    """Every data set by key; those that need no download first."""
    found = sorted(_instances(transfer.datasets, Dataset), key=lambda one: (one.download_mb, one.key))
    return _Datasets({one.key: one for one in found})


@cache
def families() -> dict[str, Family]:
    """Kinds of data set that are created from a key, by their prefix."""
    return {one.prefix: one for one in _instances(transfer.datasets, Family)}


def own_datasets() -> list[Dataset]:
    """The user's own data sets that can be opened now: what the families offer."""
    keys = [key for family in families().values() for key in family.known()]
    opened = [datasets().get(key) for key in keys]
    return [one for one in opened if one is not None]


class _Backbones(dict[str, Backbone]):
    """Backbones by key. Those of a family (``run:<id>``, ``file:<path>``) are created on request and not listed."""

    def __missing__(self, key: str) -> Backbone:
        prefix, colon, rest = key.partition(":")
        family = _backbone_families().get(prefix) if colon else None
        found = family.open(rest) if family else _pick("backbone", key, dict(self))
        return _reading_as(found, self[found.reads_as]) if found.reads_as else found

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict's, families included; what cannot be opened counts as missing."""
        try:
            return self[key]
        except RequestError:
            return default


def _reading_as(network: Backbone, other: Backbone) -> Backbone:
    """A network that came of another one: it reads as that does, and guesses words if it still has all its stages."""
    found = dataclasses.replace(network, tokens=other.tokens)
    if network.stages != other.stages:
        return found
    return dataclasses.replace(found, language=other.language, mask=other.mask, words=other.words)


@cache
def backbones() -> dict[str, Backbone]:
    """Every backbone by key; those that need no download first, then by size."""
    found = sorted(_instances(transfer.backbones, Backbone), key=_download_then_size)
    return _Backbones({one.key: one for one in found})


@cache
def _backbone_families() -> dict[str, transfer.backbones.Family]:
    return {one.prefix: one for one in _instances(transfer.backbones, transfer.backbones.Family)}


def offline_backbones(kind: str) -> list[str]:
    """Keys of the backbones in the catalog that read samples of that kind and need no download."""
    several = (one for one in backbones().values() if one.modality == kind)
    return [one.key for one in several if not (one.pretrained and one.pretrained.download_mb)]


def own_backbones() -> list[Backbone]:
    """The user's own networks that can be opened now: uploaded ones, and those of finished runs."""
    opened = [backbones().get(key) for family in _backbone_families().values() for key in family.known()]
    return [one for one in opened if one is not None]


def _download_then_size(backbone: Backbone) -> tuple[bool, int]:
    return bool(backbone.pretrained and backbone.pretrained.download_mb), backbone.parameters


@cache
def strategies() -> dict[str, type[Strategy]]:
    """Every strategy by key, in the order of their families."""
    found = [
        value
        for module in _modules(transfer.strategies)
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Strategy) and value.__module__ == module.__name__
        if "key" in vars(value)
    ]
    return {one.key: one for one in sorted(found, key=_family_then_start)}


def _family_then_start(strategy: type[Strategy]) -> tuple[int, bool, str]:
    families = transfer.strategies.FAMILIES
    place = families.index(strategy.family) if strategy.family in families else len(families)
    return place, strategy.start != "random", strategy.key


def dataset(key: str) -> Dataset:
    """The data set with that key; raises `UnknownKey` with the nearest name."""
    return datasets()[key]


def backbone(key: str) -> Backbone:
    """The backbone with that key; raises `UnknownKey` with the nearest name."""
    return backbones()[key]


def strategy(key: str) -> type[Strategy]:
    """The strategy with that key; raises `UnknownKey` with the nearest name."""
    return _pick("strategy", key, strategies())


def _pick(kind: str, key: str, known: dict[str, T]) -> T:
    if key not in known:
        raise UnknownKey(kind, key, known)
    return known[key]


def check(experiment: Experiment) -> Strategy:
    """The experiment's strategy with its options, or an error that says why the choices do not fit together.

    Cheap: reads no data and imports no TensorFlow, so page and command line call it at every change.

    Raises:
        UnknownKey: a name is not in the catalog.
        RequestError: an option of the strategy is unknown or out of range.
        ImpossibleExperiment: the choices exclude each other; the message names the nearest possible one.
    """
    target, network = dataset(experiment.target), backbone(experiment.backbone)
    for name in experiment.without:
        if name not in target.classes:
            raise UnknownKey(f"class of {target.title}", name, target.classes)
    _one_budget(experiment)
    if len(experiment.without) > len(target.classes) - 2:
        raise ImpossibleExperiment(
            f"Fewer than two classes of {target.title} would be left.",
            f"without {together(experiment.without)}",
            "Leave out fewer classes.",
        )
    chosen = strategy(experiment.strategy)(**experiment.options)
    if experiment.source is not None and same(dataset(experiment.source), target):
        raise ImpossibleExperiment(
            "Source and target are the same data set, so nothing would be transferred.",
            repr(experiment.source),
            "Choose another source, or none.",
        )
    _one_kind(experiment, network)
    chosen.check(network.stages)
    fixed.check(experiment, chosen, network)
    teacher = void.teacher_of(experiment, chosen)
    void.check(chosen, network, backbone(teacher) if teacher else None)
    _needs(experiment, chosen, network)
    modalities.check(experiment, network)
    _enough_labels(experiment, target)
    refusal = judged(experiment).refusal
    if refusal is not None:
        words = modalities.kind(target.modality).words
        raise ImpossibleExperiment(words(refusal.wrong), refusal.received, words(refusal.remedy))
    return chosen


def judged(experiment: Experiment, parts: Parts | None = None, source: Parts | None = None) -> Verdict:
    """What follows for an experiment from what its network has learned before.

    Args:
        experiment: one whose choices fit together.
        parts: the actual pictures of the target's split; None: as far as they are known cheaply.
        source: the same for the source's.
    """
    return of_experiment.verdict(experiment, *_begins(experiment), datasets(), parts, source)


def trained_on(experiment: Experiment, source: Parts | None = None) -> list[TrainedOn]:
    """What an experiment's network, or its teacher's, learns before the target; args as for `judged`."""
    return of_experiment.learned(experiment, *_begins(experiment), datasets(), source)


def _begins(experiment: Experiment) -> tuple[Strategy, Backbone, Backbone | None]:
    """The strategy, the backbone, and the teacher's backbone if it is a different one."""
    chosen = strategy(experiment.strategy)(**experiment.options)
    other = chosen.teacher not in ("", "same") and not chosen.teacher.startswith("run:")
    return chosen, backbone(experiment.backbone), backbone(chosen.teacher) if other else None


def _one_budget(experiment: Experiment) -> None:
    """Raises `ImpossibleExperiment` when a run has more than one budget."""
    given = [name for name in ("epochs", "images", "seconds") if getattr(experiment, name) is not None]
    if len(given) > 1:
        raise ImpossibleExperiment(
            "A run can have only one budget: epochs, images or seconds.",
            " and ".join(given),
            f"Leave {given[1]} empty.",
        )


def _enough_labels(experiment: Experiment, target: Dataset) -> None:
    """Raises `ImpossibleExperiment` when a class has too few labels, if the classes have been counted."""
    counts = counted.known(target) if experiment.labels_per_class else None
    if counts is not None and experiment.labels_per_class:
        without = [target.classes.index(name) for name in experiment.without]
        counted.check_labels(target, counts.train, experiment.labels_per_class, without)


def kept_classes(experiment: Experiment) -> int:
    """How many classes of the target are kept; a blind guess is right one time in that many."""
    return len(dataset(experiment.target).classes) - len(set(experiment.without))


def _one_kind(experiment: Experiment, network: Backbone) -> None:
    """Raises `ImpossibleExperiment` when a data set has samples that the network cannot read."""
    reads = modalities.kind(network.modality)
    for key in (experiment.target, experiment.source):
        chosen = dataset(key) if key else None
        if chosen is not None and chosen.modality != network.modality:
            others = [one.key for one in backbones().values() if one.modality == chosen.modality]
            has = modalities.kind(chosen.modality).nouns
            raise ImpossibleExperiment(
                f"{network.title} reads {reads.nouns}, but {chosen.title} has {has}.",
                f"backbone {network.key} with {key}",
                f"Choose a backbone for {has} ({', '.join(others[:3])}), or a data set of {reads.nouns}.",
            )


def _examples(target: Dataset) -> tuple[str, str, str]:
    """A source and a pretrained backbone for that target that need no download, and one with a head, for remedies."""
    kind, offline = target.modality, [one for one in datasets().values() if not one.download_mb]
    sources = [one for one in offline if one.modality == kind and one.key != target.key]
    alike = next((one for one in sources if one.classes == target.classes), sources[0] if sources else target)
    trained = [one for one in backbones().values() if one.modality == kind and one.pretrained is not None]
    heads = [one.key for one in trained if one.source_head is not None]
    return alike.key, trained[0].key if trained else "", f"the backbone {heads[0]}, " if heads else ""


def _needs(experiment: Experiment, chosen: Strategy, network: Backbone) -> None:
    """Raises `ImpossibleExperiment` when something the strategy needs is missing."""
    alone = experiment.source is None
    source, trained, has_head = _examples(dataset(experiment.target))
    if "weights" in chosen.needs and alone and network.pretrained is None:
        raise ImpossibleExperiment(
            f"{network.title} is not pretrained, so there is nothing to transfer.",
            f"source none with backbone {network.key!r}",
            f"Choose a source ({source}, say), a pretrained backbone ({trained}), or the strategy from_scratch.",
        )
    if "source data" in chosen.needs and alone:
        raise ImpossibleExperiment(
            f"{chosen.title} also trains on the source, so it needs a source data set.",
            "source none",
            f"Choose a source ({source}, say), or the strategy fine_tuning.",
        )
    if "source head" in chosen.needs and alone and network.source_head is None:
        raise ImpossibleExperiment(
            f"{chosen.title} needs the source's head, but {network.title} has none.",
            f"source none with backbone {network.key!r}",
            f"Choose a source ({source}, say), {has_head}or the strategy fine_tuning.",
        )
    if experiment.labels_per_class == 0 and not chosen.unlabelled:
        raise ImpossibleExperiment(
            f"{chosen.title} learns from target labels, but there are none.",
            "labels_per_class 0",
            "Give at least 1 label per class, or choose a strategy that needs none (deep_coral, say).",
        )
    if "source or labels" in chosen.needs and alone and experiment.labels_per_class == 0:
        raise ImpossibleExperiment(
            f"{chosen.title} needs some labels to start from, the source's or the target's.",
            "source none, labels_per_class 0",
            f"Choose a source of the same classes ({source}, say), or give at least 1 label per class.",
        )
    if "class names" in chosen.needs and network.tokens is None:
        raise ImpossibleExperiment(
            f"{chosen.title} reads the names of the classes, but {network.title} reads no words.",
            f"strategy {chosen.key} with backbone {network.key!r}",
            "Choose a target and a backbone for texts, or another strategy.",
        )
    if "language" in chosen.needs and not network.language:
        able = [one.key for one in backbones().values() if one.language]
        raise ImpossibleExperiment(
            f"{chosen.title} goes on training the language model that a backbone was pretrained as, but "
            f"{network.title} is none.",
            f"strategy {chosen.key} with backbone {network.key!r}",
            f"Choose a target of texts and a backbone that guesses words ({', '.join(able)}), or another strategy.",
        )
    if "same classes" in chosen.needs or ("source or labels" in chosen.needs and not alone):
        _same_classes(experiment, chosen)
    if "teacher" in chosen.needs:
        _teacher(experiment, chosen.teacher)


def _same_classes(experiment: Experiment, chosen: Strategy) -> None:
    target = dataset(experiment.target)
    alike = [one.key for one in datasets().values() if one.classes == target.classes and one.key != target.key]
    learned = backbone(experiment.backbone).classes if experiment.source is None else dataset(experiment.source).classes
    if learned != target.classes:
        raise ImpossibleExperiment(
            f"{chosen.title} keeps the source's classes, so source and target need the same ones.",
            f"source {experiment.source or 'none'} with target {target.key}",
            f"Choose the source {alike[0]}." if alike else "Choose another target, or the strategy fine_tuning.",
        )


def _teacher(experiment: Experiment, teacher: str) -> None:
    if teacher.startswith("run:"):
        folder = settings.run_folder(teacher.removeprefix("run:"))
        try:
            taught = json.loads((folder / "experiment.json").read_text())
        except (OSError, ValueError):
            raise ImpossibleExperiment(
                "There is no finished run with that id to learn from.",
                repr(teacher),
                "Use the id of a finished run, or same.",
            ) from None
        if (taught["target"], taught["seed"]) != (experiment.target, experiment.seed):
            raise ImpossibleExperiment(
                "The teacher was trained on another split: it may have seen this run's test pictures.",
                f"{teacher} with target {taught['target']}, seed {taught['seed']}",
                f"Choose a run on {experiment.target} with seed {experiment.seed}, or same.",
            )
    elif teacher != "same" and backbone(teacher).pretrained is None and experiment.source is None:
        raise ImpossibleExperiment(
            f"The teacher {backbone(teacher).title} is not pretrained.",
            f"source none with teacher {teacher!r}",
            "Choose a source, or the teacher efficientnet_lite0.",
        )
    elif teacher != "same":
        fixed.check_teacher(backbone(teacher))

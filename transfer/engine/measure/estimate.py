"""How many weights an experiment trains, how long it takes and what memory: from a few measured steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from transfer import catalog, modalities
from transfer.datasets import Dataset, Samples
from transfer.datasets.parts import MOST_VALIDATION, VALIDATION_SHARE
from transfer.engine.begin.begin import new_head
from transfer.engine.begin.source import SourceTraining
from transfer.engine.begin.teacher import training
from transfer.engine.inspect import rebuilt
from transfer.engine.loop import device
from transfer.engine.loop.learner import PREDICTED
from transfer.engine.loop.leg import Leg
from transfer.engine.network import features
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import BLANK, Network
from transfer.engine.runner import Runner
from transfer.engine.samples.splits import Split
from transfer.experiment import Experiment
from transfer.modalities import modality

STEPS = 3


@dataclass(frozen=True)
class Estimate:
    """What an experiment will take, on this machine.

    Args:
        trainable: weights that learn in the phase with most of them; exact.
        weights: all weights of backbone, head and the strategy's own layers; exact.
        steps: of the target's phases if nobody ends them early; exact, but 0 when seconds count.
        images: that those steps spend, as a budget counts them; exact, but 0 when seconds count.
        seconds: of the target's phases with a teacher's before them; an estimate.
        source_seconds: of the source's phase, should it not be learned yet; an estimate.
        memory_mb: main memory at its peak; an estimate, without what large data adds.
    """

    trainable: int
    weights: int
    steps: int
    images: int
    seconds: float
    source_seconds: float
    memory_mb: float


def estimate(experiment: Experiment, labelled: int, unlabelled: int | None = None) -> Estimate:
    """Builds the network with random weights, takes a few steps of each phase on blank samples and adds up.

    It misleads on a machine that does something else meanwhile, and leaves out what is cached.

    Args:
        experiment: possible.
        labelled: training samples of the target with their label; 0 for a target without labels.
        unlabelled: all training samples of the target; None: no more than those.

    Raises:
        RequestError: the experiment is impossible.
    """
    strategy = catalog.check(experiment)
    target = catalog.dataset(experiment.target)
    device.set_precision(experiment.precision)
    begin = time.perf_counter()
    rebuilt.ready(experiment.backbone)
    runner = Runner(experiment, strategy, lambda event: None, lambda: None, None)
    teacher, teaching = _teacher(experiment, strategy.teacher, labelled)
    source = catalog.dataset(experiment.source) if experiment.source else None
    data = _blank(target, runner, labelled, labelled if unlabelled is None else unlabelled)
    legs = runner.rehearsed(data, (source, _blank(source, runner, 64, 64)) if source else None, teacher)
    seconds, counts, steps, images = 0.0, (0, 0), 0, 0
    for leg in legs:
        seconds += _phase(leg)
        said = leg.began()
        counts = max(counts, (said.trainable, said.weights))
        steps, images = steps + leg.planned, images + leg.portions.images(leg.planned)
    if experiment.seconds is not None:
        seconds, steps, images = experiment.seconds, 0, 0
    building = time.perf_counter() - begin
    learning = 0.0
    if source and strategy.start != "random":
        learning = _source(experiment, source)
    return Estimate(*counts, steps, images, seconds + building + teaching, learning, device.peak_memory_mb())


def _blank(dataset: Dataset, runner: Runner, labelled: int, unlabelled: int) -> Split:
    """Blank samples in the numbers a split would have."""
    kind = modality(runner.backbone.modality)
    others = min(MOST_VALIDATION, round(VALIDATION_SHARE * dataset.count)), round(dataset.test_fraction * dataset.count)
    train, validation, test, everything = (
        Samples(kind.blank(count, dataset.shape, runner.size), np.zeros(count, "int64"))
        for count in (labelled, *(max(1, other) for other in others), max(1, unlabelled))
    )
    return Split(train, validation, test, "blank", dataset.classes, everything.inputs)


def _phase(leg: Leg) -> float:
    """Seconds of the leg's steps and validations, from a few steps and one validation batch."""
    spent = 0.0
    if leg.prefix:
        few = leg.data.train.inputs[:PREDICTED]
        features.compute(leg.network, leg.prefix, few, lambda done, total: None)
        begin = time.perf_counter()
        found = features.compute(leg.network, leg.prefix, few, lambda done, total: None)
        parts = (leg.data.train, leg.data.validation, leg.data.test)
        spent += (time.perf_counter() - begin) * sum(map(len, parts)) / len(few)
        for name in ("train", "validation", "test"):
            count = len(getattr(leg.data, name))
            leg.given(name, np.zeros((count, *found.shape[1:]), "float32"))
    inputs, labels = next(iter(leg.batches(0, 0)))
    step = _median(lambda: leg.learner.learn(inputs, labels))
    few = leg.inputs("validation")[:PREDICTED]
    look = _median(lambda: leg.learner.logits(few)) * -(-len(leg.data.validation) // PREDICTED)
    return spent + leg.planned * step + leg.epochs * look


def _median(action: object) -> float:
    """Seconds of the action once it has been traced."""
    assert callable(action)
    action()
    taken = []
    for _ in range(STEPS):
        begin = time.perf_counter()
        action()
        taken.append(time.perf_counter() - begin)
    return sorted(taken)[STEPS // 2]


def _teacher(experiment: Experiment, key: str, labelled: int) -> tuple[Frozen | None, float]:
    """A blank teacher, and the seconds it takes to teach it."""
    if not key:
        return None, 0.0
    asked = training(experiment, "same" if key.startswith("run:") else key)
    target = catalog.dataset(asked.target)
    backbone = catalog.backbone(asked.backbone)
    rebuilt.ready(backbone.key)
    runner = Runner(asked, catalog.check(asked), lambda event: None, lambda: None, None)
    shape = modality(backbone.modality).blank(1, target.shape, runner.size).shape[1:]
    network = Network(backbone, shape, runner.size, BLANK)
    seconds = 0.0 if key.startswith("run:") else estimate(asked, labelled).seconds
    return Frozen.of(network, new_head(runner.strategy, len(target.classes)), {}), seconds


def _source(experiment: Experiment, source: Dataset) -> float:
    backbone = catalog.backbone(experiment.backbone)
    recipe = SourceTraining(experiment, backbone, modalities.size(experiment, backbone), "").recipe
    training = round((1 - VALIDATION_SHARE) * (1 - source.test_fraction) * source.count)
    return estimate(recipe, training).seconds

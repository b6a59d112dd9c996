"""The target's network and head as an experiment begins with them."""

from __future__ import annotations

import keras
import numpy as np

from transfer import modalities
from transfer.datasets import Dataset
from transfer.engine.begin.job import Job
from transfer.engine.begin.origin import Origin, origin
from transfer.engine.network import head as heads
from transfer.engine.network.network import BLANK, Network, Plan
from transfer.engine.samples.splits import Split
from transfer.strategies import Strategy


def begin(
    job: Job, begun: Origin, shape: tuple[int, ...], classes: tuple[str, ...]
) -> tuple[Network, keras.layers.Layer, bool]:
    """The target's network, its head, and whether that one begins as the source's."""
    # The head first: the order in which they are made decides what is drawn for each.
    head = new_head(job.strategy, len(classes))
    plan = Plan.of(job.strategy, job.backbone, classes)
    network = Network(job.backbone, shape, job.size, begun.knowledge, plan)
    keeps_head = begun.head is not None and begun.classes == classes and job.strategy.keeps_head
    if keeps_head and begun.head is not None:
        head.build((None, begun.head[0].shape[0]))
        head.set_weights(list(begun.head))
    return network, head, keeps_head


def begun(job: Job, shape: tuple[int, ...], classes: tuple[str, ...]) -> tuple[Network, keras.layers.Layer] | None:
    """Network and head as this job's target begins; None when a wish ends the learning of its source.

    A source that is no longer in the cache is learned anew.
    """
    found = origin(job)
    if found is None:
        return None
    shape = modalities.modality(job.backbone.modality).blank(1, shape, job.size).shape[1:]
    # As `device.fix_seeds`, but what else this process has built stays.
    keras.utils.set_random_seed(job.experiment.seed)
    network, head, _ = begin(job, found, shape, classes)
    return network, head


def blank(job: Job, split: Split, source: tuple[Dataset, Split] | None) -> Origin:
    """An origin of random weights on any data, with a head where the job would have one: to see what its legs take."""
    strategy, backbone, head = job.strategy, job.backbone, None
    names = source[1].classes if source else backbone.classes
    classes = len(source[1].classes) if source else len(split.classes)
    if source or "source head" in strategy.needs or names == split.classes:
        plan = Plan.of(strategy, backbone, split.classes)
        network = Network(backbone, split.train.inputs.shape[1:], job.size, BLANK, plan)
        width = network.named(network.names)[-1][1].output_shape[-1]
        head = np.zeros((width, classes), "float32"), np.zeros(classes, "float32")
        if source is None and backbone.source_head is not None:
            head = backbone.source_head()
    return Origin(BLANK, source, head, names)


def new_head(strategy: Strategy, classes: int) -> keras.layers.Layer:
    """The head that the strategy's options ask for, not built yet."""
    options = strategy.options
    return heads.head(classes, options.widths, options.head_dropout, random=strategy.random_head)

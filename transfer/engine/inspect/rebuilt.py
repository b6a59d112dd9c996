"""The network of a finished run again, as it was trained and as it was before, from the files the run has left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import keras
import numpy as np

from transfer import catalog, network_files, settings, whole_file
from transfer.backbones import run_network
from transfer.backbones.as_read import as_read
from transfer.engine.begin.begin import begun
from transfer.engine.begin.job import Job
from transfer.engine.events import Emit, Event, Wish
from transfer.engine.loop import device
from transfer.engine.loop.trainer import Trainer
from transfer.engine.network.forward import forward
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import Network, Weights, put
from transfer.engine.network.plain import plain
from transfer.engine.samples import arrays, splits
from transfer.engine.samples.splits import target_split
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.seen import record
from transfer.seen.record import Record

PREDICTED = 64


@dataclass(frozen=True)
class Rebuilt:
    """A run's network, to be looked at.

    Args:
        experiment: what was run.
        network: its entrance and stages.
        head: from features to logits, built.
        classes: names of the logits, in order.
        shape: of one raw sample it was trained on.
    """

    experiment: Experiment
    network: Network
    head: keras.layers.Layer
    classes: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The size to which the entrance brings every sample."""
        return self.network.size

    @cached_property
    def split(self) -> splits.Split:
        """The target's parts as the run saw them; loads the data."""
        return target_split(self.experiment)

    @cached_property
    def model(self) -> keras.Model:
        """All in one piece, in inference mode: raw samples of `shape` to logits, shape (n, classes)."""
        network, samples = self.network, self.network.entrance.input
        passed = forward(network.entrance, network.named(network.names), self.head, samples)
        return keras.Model(samples, passed.logits, name="network")

    @cached_property
    def frozen(self) -> Frozen:
        """The same as something that also tells every stage's output; never trained."""
        return Frozen(self.network.entrance, self.network.named(self.network.names), self.head)

    def logits(self, samples: np.ndarray) -> np.ndarray:
        """What it says of raw samples, as in the run's test.

        Args:
            samples: as `shape` has them, shape (n, ...), n >= 1.

        Returns:
            Shape (n, classes), float32; softmax makes probabilities of them.
        """
        # The last batch is filled up, for one of another size would be traced anew.
        samples = self.network.read(samples)
        places = np.resize(np.arange(len(samples)), -(-len(samples) // PREDICTED) * PREDICTED)
        parts = (samples[places[at : at + PREDICTED]] for at in range(0, len(places), PREDICTED))
        return np.concatenate([self.model.predict_on_batch(one) for one in parts])[: len(samples)]


def trained(run: str, emit: Emit | None = None, wish: Callable[[], Wish | None] | None = None) -> Rebuilt:
    """The network a run came to: the weights of the epoch that was tested.

    Stages that no phase moved are not kept with the run. They come from where they came from then: the backbone's own
    weights, or the source, which is learned anew (seconds to minutes) when the lab's cache no longer holds it.

    Args:
        run: id of a run that was tested: finished, or stopped with the best kept.
        emit: takes the events of a source that is learned anew.
        wish: what the person wants meanwhile.

    Raises:
        ImpossibleExperiment: the run has left no weights, or they are damaged.
        DownloadFailed: the backbone's own weights are no longer here and could not be fetched.
        RequestError: the file of its backbone or teacher is gone, or holds another network now.
    """
    return _rebuilt(run, emit, wish, as_it_began=False)


def untrained(run: str, emit: Emit | None = None, wish: Callable[[], Wish | None] | None = None) -> Rebuilt:
    """The network the run began with: what was transferred, random weights where it was new, the head as it was put on.

    Args and errors as for `trained`. A head that the strategy computes (prototypes) is still empty here.
    """
    return _rebuilt(run, emit, wish, as_it_began=True)


def of(job: Job, weights: Weights, made: Record | None = None) -> Rebuilt | None:
    """The network of the job's experiment with these weights in the stages they name, as it began in the others.

    None when a wish ended the learning of its source. Leaves the process' precision as it was.

    Args:
        job: of the experiment.
        weights: by stage and position.
        made: the target as the run used it; None: as it is now.
    """
    experiment, target = job.experiment, made or catalog.dataset(job.experiment.target)
    with _precision(experiment.precision):
        ready(job.backbone.key)
        found = begun(job, target.shape, target.classes)
        if found is None:
            return None
        network, head = found
        stages = network.named(network.names)
        if not head.built:
            head.build((None, stages[-1][1].output_shape[-1]))
        put([*stages, ("head", head)], weights)
    return Rebuilt(experiment, network, head, target.classes, target.shape)


def ready(key: str) -> None:
    """Sees that the backbone of that key can be built, if it is a run's: packs its network once into the cache."""
    if not key.startswith(f"{run_network.PREFIX}:"):
        return
    run = key.removeprefix(f"{run_network.PREFIX}:")
    place = run_network.packed(run)
    if place.exists():
        return
    found = trained(run)
    first = found.network.stages[0].inputs[0]
    flowing = entry = keras.Input(first.shape[1:], dtype=first.dtype, name="samples")
    for stage in map(plain, found.network.stages):
        flowing = stage(flowing)
    if isinstance(found.head, keras.layers.Dense):
        flowing = found.head(keras.ops.cast(flowing, "float32"))
    with whole_file.aside(place, ".keras") as beside:
        keras.Model(entry, flowing).save(beside)


def _rebuilt(run: str, emit: Emit | None, wish: Callable[[], Wish | None] | None, as_it_began: bool) -> Rebuilt:
    folder = settings.run_folder(run)
    try:
        experiment = Experiment(**json.loads((folder / "experiment.json").read_text()))
        experiment = experiment.but(backbone=as_read(experiment.backbone, run_network.noted_reading(run)))
        weights = {} if as_it_began else arrays.read(folder / "weights.npz")
    except (FileNotFoundError, arrays.Damaged) as problem:
        raise ImpossibleExperiment(
            "The weights of this run are not there.", f"run {run}", "Choose a run that has finished, or run it again."
        ) from problem
    network_files.check(folder)
    strategy = catalog.strategy(experiment.strategy)(**experiment.options)
    job = Trainer(experiment, strategy, emit or _silent, wish or (lambda: None), None)
    job.source_then = record.read(folder, "source")
    found = of(job, weights, record.read(folder))
    if found is None:
        raise ImpossibleExperiment("The run's source was not learned to its end.", f"run {run}", "Ask again.")
    _same_backbone(run, found)
    return found


def _same_backbone(run: str, found: Rebuilt) -> None:
    """Raises `ImpossibleExperiment` when the weights below the run's own are others than those it was trained on."""
    then = run_network.noted_identity(run).partition(" on ")[2]
    knowledge = found.network.knowledge
    if knowledge.own and then and then != knowledge.identity:
        raise ImpossibleExperiment(
            f"{found.network.backbone.title} has changed since this run: its network cannot be put together again.",
            f"run {run}, {found.network.backbone.key}",
            "The run's figures remain; run it again to look into its network.",
        )


def _silent(event: Event) -> None:
    """Takes an event and says nothing."""


@contextmanager
def _precision(name: str) -> Iterator[None]:
    before = keras.mixed_precision.dtype_policy()
    device.set_precision(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_dtype_policy(before)

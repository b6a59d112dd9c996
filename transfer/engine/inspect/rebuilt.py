"""The network of a finished run again, as it was trained and as it was before, from the files the run has left."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import ops

from transfer import catalog, given, settings
from transfer.backbones.as_read import as_read
from transfer.backbones.inherited import noted_reading
from transfer.engine.events import Emit, Event, Wish
from transfer.engine.loop import device
from transfer.engine.network.frozen import Frozen
from transfer.engine.network.network import Network, Weights, put
from transfer.engine.samples import arrays, data
from transfer.engine.samples.data import target_split
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.seen import record
from transfer.seen.record import Record

if TYPE_CHECKING:
    from transfer.engine.runner import Runner

PREDICTED = 64


@dataclass(frozen=True)
class Rebuilt:
    """A run's network, to be looked at.

    Args:
        experiment: what was run.
        network: its entrance and stages.
        head: from features to logits, built.
        classes: names of the logits, in order.
        shape: (height, width, channels) of the raw pictures it was trained on.
    """

    experiment: Experiment
    network: Network
    head: keras.layers.Layer
    classes: tuple[str, ...]
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Height and width, in pixels, to which the entrance brings every picture."""
        return self.network.size

    @cached_property
    def split(self) -> data.Split:
        """The target's parts as the run saw them; loads the data."""
        return target_split(self.experiment)

    @cached_property
    def model(self) -> keras.Model:
        """All in one piece, in inference mode: raw uint8 pictures of `shape` to logits, shape (n, classes)."""
        pictures = flowing = self.network.entrance.input
        for part in (self.network.entrance, *self.network.stages):
            flowing = part(flowing, training=False)
        logits = self.head(ops.cast(flowing, "float32"), training=False)
        return keras.Model(pictures, logits, name="network")

    @cached_property
    def frozen(self) -> Frozen:
        """The same as something that also tells every stage's output; never trained."""
        return Frozen(self.network.entrance, self.network.named(self.network.names), self.head)

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """What it says of raw pictures, as in the run's test.

        Args:
            pictures: uint8, 0 to 255, shape (n, height, width, channels) as `shape` has it, n >= 1.

        Returns:
            Shape (n, classes), float32; softmax makes probabilities of them.
        """
        # The last batch is filled up, for one of another size would be traced anew.
        pictures = self.network.read(pictures)
        places = np.resize(np.arange(len(pictures)), -(-len(pictures) // PREDICTED) * PREDICTED)
        parts = (pictures[places[at : at + PREDICTED]] for at in range(0, len(places), PREDICTED))
        return np.concatenate([self.model.predict_on_batch(one) for one in parts])[: len(pictures)]


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
    return _rebuilt(run, emit, wish, begun=False)


def untrained(run: str, emit: Emit | None = None, wish: Callable[[], Wish | None] | None = None) -> Rebuilt:
    """The network the run began with: what was transferred, random weights where it was new, the head as it was put on.

    Args and errors as for `trained`. A head that the strategy computes (prototypes) is still empty here.
    """
    return _rebuilt(run, emit, wish, begun=True)


def of(runner: Runner, weights: Weights, made: Record | None = None) -> Rebuilt | None:
    """The network of the runner's experiment with these weights in the stages they name, as it began in the others.

    None when a wish ended the learning of its source. Leaves the process' precision as it was.

    Args:
        runner: of the experiment.
        weights: by stage and position.
        made: the target as the run used it; None: as it is now.
    """
    experiment, target = runner.experiment, made or catalog.dataset(runner.experiment.target)
    with _precision(experiment.precision):
        begun = runner.begun(target.shape, target.classes)
        if begun is None:
            return None
        network, head = begun
        stages = network.named(network.names)
        if not head.built:
            head.build((None, stages[-1][1].output_shape[-1]))
        put([*stages, ("head", head)], weights)
    return Rebuilt(experiment, network, head, target.classes, target.shape)


def _rebuilt(run: str, emit: Emit | None, wish: Callable[[], Wish | None] | None, begun: bool) -> Rebuilt:
    from transfer.engine.runner import Runner

    folder = settings.run_folder(run)
    try:
        experiment = Experiment(**json.loads((folder / "experiment.json").read_text()))
        experiment = experiment.but(backbone=as_read(experiment.backbone, noted_reading(run)))
        weights = {} if begun else arrays.read(folder / "weights.npz")
    except (FileNotFoundError, arrays.Damaged) as problem:
        raise ImpossibleExperiment(
            "The weights of this run are not there.", f"run {run}", "Choose a run that has finished, or run it again."
        ) from problem
    given.check(folder)
    strategy = catalog.strategy(experiment.strategy)(**experiment.options)
    runner = Runner(experiment, strategy, emit or _silent, wish or (lambda: None), None)
    runner.source_then = record.read(folder, "source")
    found = of(runner, weights, record.read(folder))
    if found is None:
        raise ImpossibleExperiment("The run's source was not learned to its end.", f"run {run}", "Ask again.")
    return found


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

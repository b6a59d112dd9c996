"""The few runs that the answering process keeps open: their networks, their data sets, and results kept with them."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer import catalog, modalities, settings
from transfer.engine.samples import arrays, since, splits
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.seen import record

if TYPE_CHECKING:
    from transfer.engine.inspect.inside import Inside

KEPT = 4
KNOWN = 2_000
LAYOUT = 2


class Opened:
    """A finished run with its data and networks; each is loaded when first needed."""

    def __init__(self, run: str) -> None:
        self.run, self.folder = run, settings.run_folder(run)
        try:
            self.experiment = Experiment(**json.loads((self.folder / "experiment.json").read_text()))
        except (OSError, ValueError) as problem:
            raise RequestError("This run has no stored network.", f"run {run}", "Open a finished run.") from problem
        self.turn = threading.Lock()

    @cached_property
    def kind(self) -> str:
        """The kind of its samples."""
        return catalog.backbone(self.experiment.backbone).modality

    def some(self, inputs: Any, most: int) -> np.ndarray:
        """Indices of at most ``most`` samples that still exist."""
        present = modalities.identity(self.kind).there(inputs)
        if not len(present):
            raise RequestError(
                "None of the run's pictures exists any more.", None, "Restore the data set to what it was."
            )
        return np.asarray(present[spread(len(present), most)])

    @cached_property
    def split(self) -> splits.Split:
        """The target's data as the run saw it; if it has changed since, with the pictures that are still there.

        Raises:
            RequestError: the data set has changed, and the run stored no record of its pictures.
        """
        made, labels = record.read(self.folder), self._labels
        with DATA:
            try:
                found = splits.target_split(self.experiment)
            except RequestError:  # the folder is gone or can no longer be split
                if made is None:
                    raise
                found = None
            if found is not None and made is not None and found.fingerprint == made.split:
                return found
            if made is None and found is not None and np.array_equal(labels, found.test.labels):
                return found
            then = None if made is None else since.as_then(made, labels, self.kind)
        if then is None:
            raise RequestError(
                "The data set has changed since this run, and the run stored no record of its pictures.",
                self.experiment.target, "Its figures remain; run it again to see pictures.",
            )  # fmt: skip
        return then

    @property
    def _labels(self) -> np.ndarray:
        return np.asarray(arrays.read(self.folder / "test.npz")["labels"], "int64")

    @cached_property
    def end(self) -> Inside:
        """The network as it was tested."""
        from transfer.engine.inspect import rebuilt
        from transfer.engine.inspect.inside import Inside

        with _BUILDING:
            return Inside(rebuilt.trained(self.run))

    @cached_property
    def start(self) -> Inside:
        """The network before training on the target."""
        from transfer.engine.inspect import rebuilt
        from transfer.engine.inspect.inside import Inside, head_was_kept

        with _BUILDING:
            return Inside(rebuilt.untrained(self.run), head_was_kept(self.experiment))

    @cached_property
    def known(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pictures it was trained on, at most `KNOWN`, their labels (-1: not given) and features."""
        inputs, labels = self.split.train.inputs, self.split.train.labels
        if not len(inputs):
            inputs, labels = self.split.unlabelled, np.full(len(self.split.unlabelled), -1)
        chosen = self.some(inputs, KNOWN)
        pictures = np.asarray(inputs[chosen])
        return pictures, labels[chosen], self.end.features(pictures)[0]


DATA, _BUILDING, _OPENING = threading.Lock(), threading.Lock(), threading.Lock()
_open: OrderedDict[str, Opened] = OrderedDict()


def prepare() -> None:
    """Imports everything networks need, before anybody waits for one."""
    from transfer.engine.inspect import inside  # noqa: F401  # the import is what takes seconds


def opened(run: str) -> Opened:
    """The run, opened now or earlier; if more than `KEPT` are open, closes the least recently used one."""
    with _OPENING:
        found = _open.pop(run, None)
        if found is None or not found.folder.exists():
            found = Opened(run)
        _open[run] = found
        while len(_open) > KEPT:
            _open.popitem(last=False)
        return found


def spread(count: int, most: int) -> np.ndarray:
    """At most ``most`` indices out of ``count``, in order; chosen at random, but always the same."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def kept(found: Opened, name: str) -> dict[str, np.ndarray] | None:
    """A stored result, if there is one; it is kept with the run's files and deleted with them."""
    try:
        return arrays.read(found.folder / "insight" / f"{name}-{LAYOUT}.npz")
    except (FileNotFoundError, arrays.Damaged):
        return None


def keep(found: Opened, name: str, result: dict[str, np.ndarray]) -> None:
    """Stores a result with the run's files, unless the run was discarded meanwhile."""
    folder = found.folder / "insight"
    try:
        folder.mkdir(exist_ok=True)
        arrays.write(folder / f"{name}-{LAYOUT}.npz", result)
    except FileNotFoundError:
        return  # the run was discarded meanwhile: there is nothing to keep it with

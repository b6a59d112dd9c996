"""The frozen prefix, computed once for each sample and kept on disk.

Exact, because frozen stages run in inference mode; keyed by weights, preprocessing and samples, so
runs, advisor and embedding pages share it. Augmented samples change every epoch and are never cached.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from transfer import settings
from transfer.engine.network.network import Network
from transfer.engine.samples import arrays
from transfer.errors import DiskFull

LAYOUT = 1
MOST_BYTES = 5 * 2**30
LARGEST = 2**30

Told = Callable[[int, int], None]


def cached(
    network: Network, names: list[str], several: Sequence[np.ndarray], told: Told, size: int = 64
) -> list[np.ndarray]:
    """Output of the stages ``names`` (from the bottom) for these samples, from the cache or computed.

    Args:
        network: whose stages; they are built only when something has to be computed.
        names: the frozen prefix, bottom to top, at least one stage.
        several: sets of raw samples, each of shape (n, ...); those not cached are computed in one go.
        told: called with (done, total) while it computes.
        size: samples a batch; the result does not depend on it.

    Returns:
        One for each set: shape (n, ...), float32, in the order of its samples.
    """
    several = [network.read(inputs) for inputs in several]
    paths = [settings.cache("features") / f"{_key(network, names, inputs)}.npz" for inputs in several]
    found = [_kept(path) for path in paths]
    missing = [place for place, features in enumerate(found) if features is None]
    if missing:
        together = Together([several[place] for place in missing])
        ends = np.cumsum([len(several[place]) for place in missing])
        computed = compute(network, names, together, told, size)
        for place, features in zip(missing, np.split(computed, ends[:-1]), strict=True):
            found[place] = features
            _keep(paths[place], features)
    return [features for features in found if features is not None]


def _kept(path: Path) -> np.ndarray | None:
    """The features in that file; a damaged one is thrown away."""
    try:
        return arrays.read(path)["features"]
    except FileNotFoundError:
        return None
    except arrays.Damaged:
        path.unlink(missing_ok=True)
        return None


def _keep(path: Path, features: np.ndarray) -> None:
    """Writes them; goes without when the disk is full, for it only saves time."""
    try:
        arrays.write(path, {"features": features})
        _prune()
    except DiskFull:
        return


class Together:
    """Several sets of samples read as one: a batch at a time, never as one array."""

    def __init__(self, several: Sequence[np.ndarray]) -> None:
        self._several = several
        self._starts = np.cumsum([0, *map(len, several)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        found = np.empty((len(places), *self._several[0].shape[1:]), self._several[0].dtype)
        owners = np.searchsorted(self._starts, places, side="right") - 1
        for owner in np.unique(owners):
            here = owners == owner
            found[here] = self._several[owner][places[here] - self._starts[owner]]
        return found


def compute(
    network: Network, names: list[str], inputs: np.ndarray | Together, told: Told, size: int = 64
) -> np.ndarray:
    """The same without a cache."""
    if not len(inputs):  # a target without labels has no labelled samples
        return np.empty((0, *network.named(names)[-1][1].output_shape[1:]), "float32")
    prefix = network.prefix(names)
    size = min(size, len(inputs))
    # The last batch is filled up with the first samples: one of another size would be traced anew, for seconds.
    places = np.resize(np.arange(len(inputs)), -(-len(inputs) // size) * size)
    found = np.empty(0)
    for at in range(0, len(places), size):
        part = prefix(inputs[places[at : at + size]])
        if not at:
            found = np.empty((len(inputs), *part.shape[1:]), "float32")
        done = min(at + size, len(inputs))
        found[at:done] = part[: done - at]
        told(done, len(inputs))
    return found


def fits(network: Network, names: list[str], count: int) -> bool:
    """Whether the prefix's output for ``count`` samples is small enough to keep."""
    if names == list(network.names):
        return True
    shape = network.named(names)[-1][1].output_shape[1:]
    return count * int(np.prod(shape)) * 4 <= LARGEST


def _key(network: Network, names: list[str], inputs: np.ndarray) -> str:
    digest = hashlib.sha256(
        repr(
            (
                LAYOUT,
                network.backbone.key,
                names,
                network.identity(names),
                network.size,
                keras.config.dtype_policy().name,
                keras.backend.backend(),
                inputs.shape,
            )
        ).encode()
    )
    on_disk = getattr(inputs, "identity", None)  # pictures on disk know theirs without being read
    digest.update(on_disk.encode() if on_disk else np.ascontiguousarray(inputs).data)
    return digest.hexdigest()[:40]


def _prune() -> None:
    """Drops the features unused for longest once all of them outgrow their room."""
    files = sorted(settings.cache("features").glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
    room = MOST_BYTES
    for file in files:
        room -= file.stat().st_size
        if room < 0:
            file.unlink(missing_ok=True)

"""Batches whose order and augmentation follow from seed, epoch and position alone.

So a run that is resumed in the middle of an epoch sees just what it would have seen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np

from transfer.datasets import Samples
from transfer.modalities import Modality

AHEAD = 3

T = TypeVar("T")


def batches(
    samples: Samples, size: int, seed: list[int], epoch: int, offset: int = 0, vary: Modality | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The samples of one epoch, inputs and labels, in an order of its own.

    Args:
        samples: inputs may be raw or features of a frozen prefix.
        size: samples a batch; the last of an epoch may be smaller.
        seed: together with the epoch it fixes order and augmentation.
        epoch: which one, from 0.
        offset: batches to leave out, for a run that is resumed inside the epoch.
        vary: augments samples, or None to take them as they are.
    """
    made = _batches(samples, size, seed, epoch, offset, vary)
    return made if isinstance(samples.inputs, np.ndarray) else ahead(made)


def _batches(
    samples: Samples, size: int, seed: list[int], epoch: int, offset: int, vary: Modality | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.random.default_rng([*seed, epoch]).permutation(len(samples))
    for place in range(offset, -(-len(order) // size)):
        chosen = order[place * size : (place + 1) * size]
        inputs = samples.inputs[chosen]
        if vary is not None:
            inputs = vary.augment(inputs, np.random.default_rng([*seed, epoch, place]))
        yield inputs, samples.labels[chosen]


def draw(samples: Samples, count: int, seed: list[int]) -> Samples:
    """So many samples drawn at random, none twice while there are enough; equal for equal seeds."""
    random = np.random.default_rng(seed)
    drawn = samples.take(random.choice(len(samples), count, replace=count > len(samples)))
    return Samples(np.asarray(drawn.inputs), drawn.labels)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, a few of them made beforehand in a thread: reading and augmenting go on while a step is taken.

    Who leaves early leaves no thread behind; an error is raised where its item would have come.
    """
    made: queue.Queue[tuple[str, Any]] = queue.Queue(AHEAD)
    left = threading.Event()

    def put(kind: str, item: object) -> None:
        while not left.is_set():
            try:
                return made.put((kind, item), timeout=0.1)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put("item", item)
                if left.is_set():
                    return
            put("end", None)
        except BaseException as problem:  # noqa: BLE001  # raised again where it is waited for
            put("problem", problem)

    thread = threading.Thread(target=work, name="batches", daemon=True)
    thread.start()
    try:
        while True:
            kind, item = made.get()
            if kind == "end":
                return
            if kind == "problem":
                raise item
            yield item
    finally:
        left.set()
        thread.join()

"""Pictures per class for training, validation and test, counted in a separate process.

Loading a data set takes seconds and requires scikit-learn; the page's process never does it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import streamlit as st

from pages.parts.common.first_drawing import first_drawing_over
from transfer import catalog, counted, settings
from transfer.counted import is_here
from transfer.datasets import Dataset
from transfer.experiment import Experiment
from transfer.spending import epochs_of

_TIMEOUT_SECONDS = 900  # the user's pictures are decoded before they are counted
_COUNT = """
import dataclasses, json, sys
from transfer import catalog
from transfer.engine.samples import splits
print(json.dumps(dataclasses.asdict(splits.count(catalog.dataset(sys.argv[1])))))
"""


@dataclass(frozen=True)
class Counts(counted.Counts):
    """Pictures per class, in label order; the split has the same counts for every seed."""

    def without(self, classes: Sequence[str], left_out: Collection[str]) -> Counts:
        """The counts of the kept classes only."""
        kept = [label for label, name in enumerate(classes) if name not in left_out]
        parts = (self.train, self.validation, self.test)
        return Counts(*([part[label] for label in kept] for part in parts)) if kept else self

    @property
    def majority(self) -> float | None:
        """Share of the most common class in the validation split; None if the split is empty."""
        return max(self.validation) / sum(self.validation) if sum(self.validation) else None

    def training(self, strategy: str, labels_per_class: int | None) -> int:
        """Pictures that the strategy trains on with that many labels per class: all of them if it needs no labels."""
        known = catalog.strategies().get(strategy)
        if known is not None and known.unlabelled:
            return sum(self.train)
        return self.labelled(labels_per_class)

    def labelled(self, labels_per_class: int | None) -> int:
        """Training pictures whose label is used."""
        return sum(count if labels_per_class is None else min(count, labels_per_class) for count in self.train)

    def epochs(self, asked: Experiment) -> int:
        """Epochs of a possible experiment; with a budget in images, as many as it pays for."""
        return epochs_of(asked, self.labelled(asked.labels_per_class), sum(self.train))


def counts(dataset: Dataset) -> Counts | None:
    """The counts, or None while they are unknown; requests them if that needs no download."""
    if not is_here(dataset):
        return None
    if not first_drawing_over():
        return None
    answer = _asked(dataset.key, str(settings.home()))
    return answer.result() if answer.done() else None


def being_counted(dataset: Dataset) -> bool:
    """Whether it is worth asking again in a moment."""
    if not is_here(dataset):
        return False
    if not first_drawing_over():
        return True
    return not _asked(dataset.key, str(settings.home())).done()


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "counts")


@st.cache_resource(show_spinner=False)
def _asked(key: str, home: str) -> Future[Counts | None]:
    return _pool().submit(_count, key)


def _count(key: str) -> Counts | None:
    command = [sys.executable, "-c", _COUNT, key]
    root = str(settings.__file__).rsplit("/transfer/", 1)[0]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, cwd=root)
    except subprocess.TimeoutExpired:
        return None
    return Counts(**json.loads(done.stdout)) if done.returncode == 0 else None

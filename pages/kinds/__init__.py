"""How pages show the samples of each kind. Adding a kind is one new file or folder here, named for it.

It defines the functions of `Shows`. They import Keras nowhere, and what is heavy inside themselves. In a folder no
file is named like one of these functions, because Python would put the file in the function's place.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from transfer import catalog, modalities
from transfer.backbones import Backbone
from transfer.datasets import Dataset
from transfer.insight.answers import Answers

if TYPE_CHECKING:
    from transfer.lab import Run

View = Callable[[Dataset, int], None]


class Shows(Protocol):
    """What a file in this folder defines.

    Args:
        WHERE: name of the part of a run's page that shows what an answer rests on.
        WIDTH: of a sample among others, in pixels.
        VIEWS: parts of the Data page, by name.
        USUAL: fields of the experiment with which own samples of this kind are learned.
    """

    WHERE: str
    WIDTH: int
    VIEWS: Mapping[str, View]
    USUAL: Mapping[str, Any]

    def size(self, dataset: Dataset) -> str:
        """The size of its samples as loaded, in a word or two; empty when each has its own."""

    def input(self, network: Backbone) -> str:
        """What enters the network, in a word or two."""

    def samples(self, dataset: Dataset, width: Literal["stretch", "content"]) -> bool:
        """Draws a few samples on a card; False when there are none to be had at once."""

    def sample(self, sample: Any, words: str) -> None:
        """Draws one sample among others; ``words`` say what it is."""

    def where(self, run: Run, answers: Answers) -> None:
        """Draws what an answer rests on."""

    def try_it(self, runs: list[Run]) -> None:
        """Asks for a sample, and draws the answers of several networks side by side."""


def shows(kind: str) -> Shows:
    """How samples of that kind are shown; its file is imported only now."""
    return cast(Shows, importlib.import_module(f"pages.kinds.{kind}"))


def kind_of(key: str) -> modalities.Kind:
    """The kind of a data set's samples, by the data set's key; pictures where the data set is gone."""
    dataset = catalog.datasets().get(key)
    return modalities.kind(dataset.modality if dataset else "image")


def nouns(key: str) -> str:
    """What the samples of that data set are called."""
    return kind_of(key).nouns

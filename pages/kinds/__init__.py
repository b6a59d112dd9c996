"""How pages show the samples of each kind. Adding a kind is one new file or folder here, named for it.

It defines the functions of `Shows`. They import Keras nowhere, and what is heavy inside themselves. In a folder no
file is named like one of these functions, because Python would put the file in the function's place.
"""

from __future__ import annotations

import importlib
import importlib.util
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


class OwnData(Protocol):
    """What ``own_data.py`` in a kind's folder defines, where people can add samples of their own."""

    def panel(self) -> None:
        """The ways to add samples."""

    def how_it_was_read(self, dataset: Dataset) -> None:
        """Draws how own samples were read, with a form to correct it; nothing for other data sets."""

    def remove(self, key: str) -> None:
        """Removes an own data set: an upload with its files, a path only from the choices."""


def own_data(kind: str) -> OwnData | None:
    """How samples of that kind are added; None if they cannot be."""
    name = f"pages.kinds.{kind}"
    there = hasattr(importlib.import_module(name), "__path__") and importlib.util.find_spec(f"{name}.own_data")
    return cast(OwnData, importlib.import_module(f"{name}.own_data")) if there else None


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

"""Kinds of sample. Adding one is one new folder here, named for the kind.

``__init__.py`` defines `KIND`, what pages and checks need to know; it imports no Keras. ``working.py`` has the
functions of `Modality`, which bring samples to what a backbone reads and vary them; ``look.py`` shows samples without
a network (`Looker`). ``identity.py``, which tells samples apart, is only needed by a kind whose samples are not arrays.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment, Options

if TYPE_CHECKING:
    import keras

    from transfer.backbones import Backbone
    from transfer.datasets import Dataset, Published, Samples
    from transfer.seen.prints import Prints


PICTURE = re.compile(r"\b(picture(s?))\b", re.IGNORECASE)


@dataclass(frozen=True)
class Kind:
    """A kind of sample in words, and how its samples enter a network.

    Args:
        key: name of its folder.
        noun: what one sample is called.
        nouns: what several are called.
        unit: of a network's input size.
        intake: the options of how samples enter; `Experiment.intake` holds them.
        size: name of the option that sets the size, in ``intake`` or, of pictures, in the experiment itself.
    """

    key: str
    noun: str
    nouns: str
    unit: str
    intake: type[Options]
    size: str

    def words(self, sentence: str) -> str:
        """A sentence that was written for pictures, with this kind's own noun."""
        return PICTURE.sub(lambda found: _like(self.nouns if found[2] else self.noun, found[1]), sentence)


def _like(noun: str, written: str) -> str:
    return noun.capitalize() if written[0].isupper() else noun


class Modality(Protocol):
    """What ``working.py`` in a kind's folder defines."""

    def read(self, inputs: Any, backbone: Backbone, size: int) -> Any:
        """Raw samples as the backbone reads them; what has been read before is returned as it is."""

    def blank(self, count: int, shape: tuple[int, ...], size: int) -> np.ndarray:
        """So many samples without content, as `read` returns those of ``shape``; for measuring."""

    def entrance(self, shape: tuple[int, ...], size: int, channels: int) -> keras.Model:
        """A model without weights from samples of ``shape``, as `read` returns them, to the backbone's input."""

    def pooled(self, stage: keras.Model) -> keras.Model:
        """The stage with its output made one vector a sample, for a head to sit on."""

    def baseline(self, known: Samples, asked: Samples) -> tuple[str, float] | None:
        """What a simple method that needs no network reaches: its name, and its accuracy on ``asked``, 0 to 1."""

    def augment(self, samples: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The samples, each varied a little; same shape and type, equal for equal generators."""

    def view(
        self, name: str, samples: np.ndarray, random: np.random.Generator, backbone: Backbone | None = None
    ) -> np.ndarray:
        """The samples ``plain``, ``weak`` (varied a little) or ``strong`` (varied much); as for `augment`.

        ``backbone`` is the one that they were read for.
        """

    def language(
        self, samples: np.ndarray, random: np.random.Generator, backbone: Backbone
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the backbone's language model is fed and what it is asked; only of kinds that have such backbones."""

    def writer(self, backbone: Backbone, stages: list[keras.Model]) -> Writer:
        """The network as one that writes; only of kinds that have causal backbones."""


class Writer(Protocol):
    """A network that goes on with a sample, and says how well it foresaw some."""

    def go_on(self, text: str, count: int, temperature: float, seed: int) -> str:
        """What the network writes after a text, without the text."""

    def bits_a_character(self, *texts: str) -> float:
        """How surprised the network is by texts: bits for each character, 0 or more."""


class Identity(Protocol):
    """What ``identity.py`` in a kind's folder defines: which samples are the same, however a data set changes."""

    def prints(self, dataset: Dataset, inputs: Any) -> Prints:
        """The fingerprint of each sample."""

    def near(self, learned: Any, tested: Any) -> np.ndarray:
        """Which tested samples are nearly equal to one that was learned from, bool, shape (n,)."""

    def of_shape(self, dataset: Dataset, shape: tuple[int, ...]) -> Published | None:
        """The data set's samples at the shape a run used; None if they only come in one shape."""

    def beside(self, dataset: Dataset) -> dict[str, str]:
        """The files, by name, that a run keeps so that new samples are read as its own were; each with its text."""

    def remaining(self, parts: list[Any], places: np.ndarray, shape: tuple[int, ...]) -> Any:
        """Samples by their places in all the parts, one after another; -1 is a sample that is gone."""

    def there(self, inputs: Any) -> np.ndarray:
        """Indices of the samples that are still there, in order."""


class Looker(Protocol):
    """What ``look.py`` in a kind's folder defines; ``batch`` only where the Data page shows the first batch."""

    def look(self, dataset: Dataset, parts: Mapping[str, Samples], folder: Path) -> dict[str, Any]:
        """What can be seen of the samples, JSON-able; pictures are put into the folder."""

    def batch(self, given: np.ndarray, shown: int, folder: Path) -> dict[str, Any]:
        """Shows the first samples of a batch as they enter a backbone, and says what its numbers are like."""


def kinds() -> dict[str, Kind]:
    """All kinds by their keys, which are the names of the folders here."""
    return {one.name: kind(one.name) for one in pkgutil.iter_modules(__path__) if one.ispkg}


def kind(key: str) -> Kind:
    """The kind of that key."""
    return cast(Kind, importlib.import_module(f"transfer.modalities.{key}").KIND)


def modality(key: str) -> Modality:
    """What works on samples of that kind; its file, which needs Keras, is imported only now."""
    return cast(Modality, importlib.import_module(f"transfer.modalities.{key}.working"))


def identity(key: str) -> Identity:
    """What tells samples of that kind apart; without an ``identity.py`` in the kind's folder, that of arrays."""
    name = f"transfer.modalities.{key}.identity"
    found = importlib.util.find_spec(name) is not None
    return cast(Identity, importlib.import_module(name if found else "transfer.modalities.arrays"))


def looker(key: str) -> Looker:
    """What shows the samples of that kind without a network."""
    return cast(Looker, importlib.import_module(f"transfer.modalities.{key}.look"))


def size(experiment: Experiment, backbone: Backbone) -> int:
    """The size at which an experiment feeds a backbone: the one asked for, or the backbone's own."""
    of = kind(backbone.modality)
    asked = experiment.intake.get(of.size, getattr(experiment, of.size, None))
    return int(asked or backbone.size)


def fields_for(backbone: Backbone, size: int) -> dict[str, Any]:
    """The fields of an experiment that feed the backbone at that size."""
    name = kind(backbone.modality).size
    return {name: size} if name in Experiment.model_fields else {"intake": {name: size}}


def check(experiment: Experiment, backbone: Backbone) -> None:
    """Raises `RequestError` for options that this kind does not have, `ImpossibleExperiment` for a size that the
    backbone cannot take."""
    of = kind(backbone.modality)
    of.intake(**experiment.intake)
    if experiment.image_size is not None and of.size != "image_size":
        raise ImpossibleExperiment(
            f"{backbone.title} reads {of.nouns}, which have no size in pixels.",
            f"image_size {experiment.image_size}",
            f"Leave image_size empty; {of.size} sets how much of a {of.noun} is read.",
        )
    asked = size(experiment, backbone)
    if asked < backbone.smallest:
        raise ImpossibleExperiment(
            f"{backbone.title} needs {of.nouns} of at least {backbone.smallest} {of.unit}.",
            f"{of.size} {asked}",
            f"Set {of.size} to {backbone.smallest} or more, or use the backbone's own ({backbone.size}).",
        )
    if backbone.largest is not None and asked > backbone.largest:
        raise ImpossibleExperiment(
            f"{backbone.title} was made for {of.nouns} of at most {backbone.largest} {of.unit}.",
            f"{of.size} {asked}",
            f"Use the backbone's own {of.size}.",
        )

"""Pictures on the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from pages.parts.data import contents
from transfer.backbones import Backbone
from transfer.datasets import Dataset

if TYPE_CHECKING:
    from transfer.insight.answers import Answers
    from transfer.lab import Run

WHERE = "Where it looked"
WIDTH = 112
# Photographs: a backbone that has seen photographs.
USUAL = {"backbone": "efficientnet_lite0", "strategy": "feature_extraction", "source": None}


def _classes(dataset: Dataset, seed: int) -> None:
    from pages.kinds.image import data

    data.classes(dataset, seed)


def _duplicates(dataset: Dataset, seed: int) -> None:
    from pages.kinds.image import data

    data.duplicates(dataset, seed)


def _batch(dataset: Dataset, seed: int) -> None:
    from pages.kinds.image import data

    data.batch(dataset, seed)


VIEWS = {
    "Classes": _classes,
    "Split": contents.split,
    "Duplicates": _duplicates,
    "First batch": _batch,
    "Distance": contents.distance,
}


def _colour(channels: int) -> str:
    return "colour" if channels == 3 else "grey"


def size(dataset: Dataset) -> str:
    """Height, width and colour."""
    height, width, channels = dataset.shape
    return f"{height}×{width} {_colour(channels)}"


def input(network: Backbone) -> str:  # what it says
    """Pixels and colour."""
    return f"{network.size} px {_colour(network.channels)}"


def samples(dataset: Dataset, width: Literal["stretch", "content"]) -> bool:
    """Two samples of each class, from the data set's sheet."""
    if dataset.sample_sheet is None:
        return False
    st.image(str(dataset.sample_sheet), width=width, alt=f"Two samples of each class of {dataset.title}")
    return True


def sample(sample: Any, words: str) -> None:
    """The picture, enlarged without blur."""
    from transfer.pictures.heat import enlarged

    st.image(enlarged(sample, WIDTH), width=WIDTH, alt=f"picture {words}")


def where(run: Run, answers: Answers) -> None:
    """Grad-CAM."""
    from pages.kinds.image.evidence import where

    where(run, answers)


def try_it(runs: list[Run]) -> None:
    """A picture that is drawn, uploaded or taken with the camera."""
    from pages.kinds.image.try_it_page import try_it

    try_it(runs)

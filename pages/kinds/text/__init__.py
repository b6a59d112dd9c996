"""Texts on the pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st

from pages.kinds.text.escaped import BOX, SMALL, html
from pages.parts.data import contents
from transfer import catalog
from transfer.backbones import Backbone
from transfer.datasets import Dataset

if TYPE_CHECKING:
    from transfer.insight.answers import Answers
    from transfer.lab import Run

WHERE = "Which words"
WIDTH = 260
USUAL = {"backbone": "word_average", "strategy": "feature_extraction", "source": None}
ON_A_CARD, MOST_ON_A_CARD = 110, 4


def _classes(dataset: Dataset, seed: int) -> None:
    from pages.kinds.text import data

    data.classes(dataset, seed)


def _duplicates(dataset: Dataset, seed: int) -> None:
    from pages.kinds.text import data

    data.duplicates(dataset, seed)


VIEWS = {
    "Classes": _classes,
    "Split": contents.split,
    "Duplicates": _duplicates,
    "Distance": contents.distance,
}


def size(dataset: Dataset) -> str:
    """Nothing: each text has its own length."""
    return ""


def input(network: Backbone) -> str:  # what it says
    """The length in tokens."""
    return f"{network.size} tokens"


def samples(dataset: Dataset, width: Literal["stretch", "content"]) -> bool:
    """A text each of a few classes, if the data set is at hand."""
    if dataset.download_mb:
        return False
    for label, text in _few(dataset.key, dataset.stamp):
        name = escape(dataset.classes[label])
        st.html(f'<div style="{SMALL}"><b>{name}</b> · {html(text, ON_A_CARD)}</div>')
    return True


@st.cache_data(show_spinner=False, max_entries=100)
def _few(key: str, stamp: str) -> list[tuple[int, str]]:
    """Label and text of the first sample of the first classes."""
    train = catalog.dataset(key).load().train
    labels = np.unique(train.labels)[:MOST_ON_A_CARD].tolist()
    return [(label, train.inputs[int(np.flatnonzero(train.labels == label)[0])]) for label in labels]


def sample(sample: Any, words: str) -> None:
    """The text's beginning in a box."""
    st.html(f'<div style="{BOX}">{html(str(sample))}</div>')


def where(run: Run, answers: Answers) -> None:
    """What each word does to an answer."""
    from pages.kinds.text.evidence import where

    where(run, answers)


def try_it(runs: list[Run]) -> None:
    """A text that is typed."""
    from pages.kinds.text.try_it_page import try_it

    try_it(runs)

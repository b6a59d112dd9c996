"""Asks the process that holds trained networks, shows what it is doing, and shows its errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from transfer.errors import LabError
from transfer.lab import calling

LONG_SECONDS = 600.0
OPENING = "opening the network; the first time takes a few seconds ..."


def ask_network(question: str, words: str, **about: Any) -> Any:
    """The answer, cached for this question; None after an error message.

    Args:
        question: one of `transfer.lab.answers`.
        words: what is being done, shown while it runs.
        about: the question's arguments; numbers, text and lists.
    """
    try:
        with st.spinner(words, show_time=True):
            return _answer(question, **about)
    except LabError as problem:
        st.error(str(problem), icon=":material/error:")
        return None


@st.cache_data(show_spinner=False, max_entries=200)
def _answer(question: str, **about: Any) -> Any:
    return calling.ask(question, seconds=LONG_SECONDS, **about)


def samples(run: str, places: list[int]) -> np.ndarray | None:
    """Samples of the run's test set; None if they are not available.

    Pictures have the shape (n, height, width, channels), uint8; texts are strings, shape (n,).
    """
    if not places:
        return None
    found = ask_network("pictures", "loading the samples ...", run=run, places=places)
    return None if found is None else np.asarray(found["inputs"])

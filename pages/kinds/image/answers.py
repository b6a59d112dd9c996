"""Several networks' answers to a picture: as each sees it, where it looked, and the most similar ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.parts.try_it import answers
from transfer import catalog, settings
from transfer.errors import RequestError
from transfer.lab import Run
from transfer.pictures import heat, scales
from transfer.pictures.given import DIGITS, Given, shaped

SEEN, NEAR = 128, 64


def knows_digits(run: Run) -> bool:
    """Whether its classes are the ten digits, which are drawn as centred strokes."""
    dataset = catalog.datasets().get(run.experiment.target)
    return dataset is not None and dataset.classes == DIGITS


def show_answers(runs: list[Run], picture: Given, strokes: bool) -> None:
    """Asks all networks at once and shows their answers.

    Args:
        runs: no more than the process keeps open.
        picture: as given.
        strokes: whether to centre its strokes, as in MNIST.
    """
    fits = {run.id: _fitted(run, picture, strokes) for run in runs}
    answers.show_answers(runs, "answer", fits, _pictures)


def _fitted(run: Run, picture: Given, strokes: bool) -> np.ndarray | RequestError:
    """The picture prepared like the run's own pictures, or the reason why it cannot be."""
    dataset = catalog.dataset(run.experiment.target)
    try:
        return shaped(picture, dataset.shape, scales.kept(settings.run_folder(run.id)) or dataset.scales, strokes)
    except RequestError as problem:
        return problem


def _pictures(run: Run, picture: Any, answer: Any) -> None:
    """The picture as the network sees it, where it looked, and the most similar training pictures."""
    classes = catalog.dataset(run.experiment.target).classes
    with st.container(horizontal=True, gap="small"):
        with st.container(width=SEEN, gap="xxsmall"):
            st.image(heat.enlarged(picture, SEEN), width=SEEN, alt="the picture as the network sees it")
            st.caption(f"what the network sees, {picture.shape[1]} x {picture.shape[0]}")
        if answer["heat"] is not None:
            with st.container(width=SEEN, gap="xxsmall"):
                st.image(heat.overlay(picture, answer["heat"], SEEN), width=SEEN, alt="where the network looked")
                none = "" if answer["heat"].any() else ": nothing supports it here"
                st.caption(f"where it looked ({answer['stage']}){none}")
    st.caption("most similar training pictures")
    with st.container(horizontal=True, gap="xsmall"):
        for near, label, alike in zip(answer["pictures"], answer["labels"], answer["alike"], strict=True):
            with st.container(width=NEAR, gap="xxsmall"):
                name = classes[label] if label >= 0 else "no label"
                st.image(heat.enlarged(near, NEAR), width=NEAR, alt=f"{name}, similarity {alike:.2f}")
                st.caption(f"{name} · {alike:.2f}")

"""Several networks' answers to one picture, side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import streamlit as st

from pages.parts.shared import in_words
from transfer import catalog, settings
from transfer.errors import LabError, RequestError
from transfer.insight import bars, heat
from transfer.insight.picture import DIGITS, Given, shaped
from transfer.insight.words import percent
from transfer.lab import Run, calling
from transfer.pictures import scales

SEEN, NEAR = 128, 64
CONFIG = {"displayModeBar": False}
NEAREST = 6


def knows_digits(run: Run) -> bool:
    """Whether its classes are the ten digits, which are drawn as centred strokes."""
    dataset = catalog.datasets().get(run.experiment.target)
    return dataset is not None and dataset.classes == DIGITS


@st.cache_resource(show_spinner=False)
def _askers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "asker")


def warm(runs: list[Run]) -> None:
    """Opens the networks while the user is still drawing."""
    warmed: set[str] = st.session_state.setdefault("warmed", set())
    for run in runs:
        if run.id not in warmed:
            warmed.add(run.id)
            _askers().submit(_tell_ready, run.id)


def _tell_ready(run: str) -> None:
    try:
        calling.ask("ready", run=run, known=True)
    except LabError:
        return  # the question itself will report the problem


def told(runs: list[Run], picture: Given, strokes: bool) -> None:
    """Asks all networks at once and shows their answers.

    Args:
        runs: no more than the process keeps open.
        picture: as given.
        strokes: whether to centre its strokes, as in MNIST.
    """
    fits = {run.id: _fitted(run, picture, strokes) for run in runs}
    with st.spinner("asking the networks; opening them the first time takes a few seconds ...", show_time=True):
        waiting = {run.id: _askers().submit(_ask, run.id, fits[run.id]) for run in runs}
        said = {run: answer.result() for run, answer in waiting.items()}
    columns = st.columns(len(runs), gap="medium")
    drawn = {run.id: column.container() for column, run in zip(columns, runs, strict=True)}
    # All bars before any picture, because the user is waiting for them.
    for show in (_bars, _pictures):
        for run in runs:
            with drawn[run.id]:
                show(run, fits[run.id], said[run.id])


def _fitted(run: Run, picture: Given, strokes: bool) -> np.ndarray | RequestError:
    """The picture prepared like the run's own pictures, or the reason why it cannot be."""
    dataset = catalog.dataset(run.experiment.target)
    try:
        return shaped(picture, dataset.shape, scales.kept(settings.run_folder(run.id)) or dataset.scales, strokes)
    except RequestError as problem:
        return problem


def _ask(run: str, picture: np.ndarray | RequestError) -> Any:
    if isinstance(picture, RequestError):
        return picture
    try:
        return calling.ask("answer", run=run, picture=picture, most=NEAREST)
    except LabError as problem:
        return problem


def _bars(run: Run, picture: Any, answer: Any) -> None:
    st.markdown(f"**{in_words(run.experiment)}**")
    if isinstance(answer, LabError):
        st.error(str(answer), icon=":material/error:")
        return
    classes, likely = catalog.dataset(run.experiment.target).classes, answer["probabilities"]
    best = int(likely.argmax())
    st.subheader(classes[best], anchor=False)
    st.plotly_chart(
        bars.figure(likely, classes, run.id), key=f"chart_bars:{run.id}", config=CONFIG,
        alt=f"{classes[best]} with probability {percent(float(likely[best]))}",
    )  # fmt: skip


def _pictures(run: Run, picture: Any, answer: Any) -> None:
    """The picture as the network sees it, where it looked, and the most similar training pictures."""
    if isinstance(answer, LabError):
        return
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

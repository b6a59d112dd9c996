"""Several networks' answers to one sample, side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import streamlit as st

from pages.parts.common.titles import in_words
from transfer import catalog
from transfer.errors import LabError, RequestError
from transfer.insight import bars
from transfer.insight.words import percent
from transfer.lab import Run, calling

CONFIG = {"displayModeBar": False}
NEAREST = 6


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


def show_answers(
    runs: list[Run], question: str, samples: dict[str, Any], detail: Callable[[Run, Any, Any], None]
) -> None:
    """Asks all networks at once and shows their answers.

    Args:
        runs: no more than the process keeps open.
        question: what they are asked, and with which argument: ``answer`` a ``picture``, ``read`` a ``text``.
        samples: for each run the sample as its network takes it, or the `RequestError` that says why it cannot.
        detail: draws what is below the bars, from a run, its sample and its answer.
    """
    with st.spinner("asking the networks; opening them the first time takes a few seconds ...", show_time=True):
        waiting = {run.id: _askers().submit(_ask, run.id, question, samples[run.id]) for run in runs}
        said = {run: answer.result() for run, answer in waiting.items()}
    columns = st.columns(len(runs), gap="medium")
    drawn = {run.id: column.container() for column, run in zip(columns, runs, strict=True)}
    # All bars before anything else, because the user is waiting for them.
    for run in runs:
        with drawn[run.id]:
            _bars(run, said[run.id])
    for run in runs:
        if not isinstance(said[run.id], LabError):
            with drawn[run.id]:
                detail(run, samples[run.id], said[run.id])


ARGUMENTS = {"answer": "picture", "read": "text"}


def _ask(run: str, question: str, sample: Any) -> Any:
    if isinstance(sample, RequestError):
        return sample
    try:
        return calling.ask(question, run=run, most=NEAREST, **{ARGUMENTS[question]: sample})
    except LabError as problem:
        return problem


def _bars(run: Run, answer: Any) -> None:
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

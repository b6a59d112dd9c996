"""The buttons over the curves: Start; Pause, Stop and Discard while a run is live; Resume after a pause."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.common.lab import the_lab
from transfer.errors import LabError
from transfer.experiment import Experiment

if TYPE_CHECKING:
    from transfer.lab import Run

CLAIM_SECONDS = 0.1


def buttons(experiment: Experiment | None, shown: Run | None) -> None:
    """The buttons while no run is live; Start is disabled while the choices are impossible (None)."""
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        _start_button(experiment, shown)
        if shown is None:
            st.button("Race several", key="race", on_click=race, args=(True,), icon=":material/sports_score:",
                      help="Compares strategies, backbones, data sets or numbers of labels at one budget.")  # fmt: skip
        if shown is not None and shown.resumable:
            st.button("Resume", key="resume", on_click=_do, args=("resume", shown.id), icon=":material/resume:",
                      help="Continues from the checkpoint with the same optimiser state.")  # fmt: skip
        if shown is not None:
            st.button("New experiment", key="new", on_click=leave, type="tertiary", icon=":material/add:",
                      help="Starts over; the run stays on the Runs page.")  # fmt: skip
        if shown is not None and shown.metrics.get("test_accuracy") is not None:
            st.page_link("pages/run.py", label="In depth", icon=":material/search_insights:", width="content",
                         query_params={"run": shown.id})  # fmt: skip
            st.page_link("pages/try_it.py", label="Try it", icon=":material/draw:", width="content",
                         query_params={"runs": shown.id})  # fmt: skip


def _start_button(experiment: Experiment | None, shown: Run | None) -> None:
    words = "Start"
    if shown is not None:
        words = "Run again" if experiment == shown.experiment else "Start with these settings"
    # No callback: it would get the settings as last drawn, without a change made just before pressing Start.
    pressed = st.button(words, key="start", type="primary", disabled=experiment is None, icon=":material/play_arrow:",
                        help="These choices do not work together yet." if experiment is None else None)  # fmt: skip
    if pressed and experiment is not None:
        start(experiment)


def while_live(run: Run, experiment: Experiment | None) -> None:
    """The buttons while a run is live."""
    asked = run.wish is not None
    # A waiting run has no best epoch to keep, and a resumed one, if stopped now, would end without a test.
    waiting = run.state == "queued"
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        _endings(run, asked, waiting)
        other = experiment is not None and experiment != run.experiment
        if other and st.button("Queue these settings too", key="start", icon=":material/playlist_add:"):
            # With the form's values at that moment: the form is not redrawn with this part of the page.
            st.session_state["queue"] = True
            st.rerun(scope="app")


def queued(experiment: Experiment | None) -> None:
    """Submits the settings that were queued behind a live run."""
    if st.session_state.pop("queue", False) and experiment is not None:
        start(experiment)


def _endings(run: Run, asked: bool, waiting: bool) -> None:
    st.button("Pause", key="pause", on_click=_do, args=("pause", run.id), icon=":material/pause:", disabled=asked,
              help="Saves a checkpoint and stops; you can resume later.")  # fmt: skip
    st.button("Stop and keep the best", key="stop", on_click=_do, args=("stop", run.id), disabled=asked or waiting,
              icon=":material/stop:",
              help="Stops now and tests the best epoch so far.")  # fmt: skip
    st.button("Discard", key="discard", on_click=_do, args=("discard", run.id), icon=":material/delete:",
              disabled=run.wish == "discard", type="tertiary",
              help="Stops the run and deletes it with all its data.")  # fmt: skip


def start(experiment: Experiment) -> None:
    """Submits the experiment and redraws the page with its run; the address contains the run's id."""
    try:
        run = the_lab().submit(experiment)
        _claimed(run)
    except LabError as problem:
        st.session_state["trouble"] = str(problem)
    else:
        st.session_state["filled_from"] = run
        st.query_params["run"] = run
    st.rerun()


def _claimed(run: str) -> None:
    """Gives a standby worker a moment to claim the run, so that the page is not first drawn for a waiting run."""
    until = time.monotonic() + CLAIM_SECONDS
    while the_lab().run(run).state == "queued" and time.monotonic() < until:
        time.sleep(0.01)


def race(wanted: bool) -> None:
    """Switches to the race form, or back to a single run."""
    st.session_state["racing"] = wanted
    if not wanted:
        st.query_params.clear()


def racing() -> bool:
    """Whether the page shows a race, or the form for one, instead of a single run."""
    return bool(st.query_params.get("race") or st.session_state.get("racing"))


def leave() -> None:
    """Back to empty charts, keeping the settings."""
    st.query_params.clear()


def _do(what: str, run: str) -> None:
    try:
        getattr(the_lab(), what)(run)
    except LabError as problem:
        st.session_state["trouble"] = str(problem)
        return
    if what == "discard":
        leave()
        st.toast("Run discarded.", icon=":material/delete:")


def trouble() -> None:
    """Shows, once, what went wrong with the last click."""
    words = st.session_state.pop("trouble", "")
    if words:
        st.error(words, icon=":material/error:")

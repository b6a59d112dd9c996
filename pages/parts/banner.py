"""On every page: the runs that are live, and the way to them."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import in_words, the_lab
from transfer.errors import LabError
from transfer.insight import sentences
from transfer.lab import Run

EVERY_SECONDS = 2.0
MOST = 3


@st.fragment(run_every=EVERY_SECONDS)
def live_runs() -> None:
    """A line for each live run that is not the one on show; also keeps the lab's workers ready."""
    lab = the_lab()
    try:
        # Not while the page is first drawn: a worker's start would take the processor from it.
        if st.session_state.get("drawn"):
            lab.tend()
        st.session_state["drawn"] = True
        live = [run for run in lab.live() if run.id != st.query_params.get("run")]
    except LabError as problem:
        st.error(str(problem), icon=":material/error:")
        return
    if not live:
        return
    with st.container(border=True, gap="xxsmall"):
        for run in live[:MOST]:
            st.page_link("pages/lab.py", label=_words(run), icon=":material/play_circle:", query_params={"run": run.id})
        if len(live) > MOST:
            st.page_link("pages/runs.py", label=f"and {len(live) - MOST} more", icon=":material/more_horiz:")


def _words(run: Run) -> str:
    progress = run.progress or {}
    far = (
        f"{sentences.percent(progress['done'] / progress['total'])}"
        if progress.get("total")
        else progress.get("text") or "starting"
    )
    return f":primary[**{'Waiting' if run.state == 'queued' else 'Running, ' + far}**] · {in_words(run.experiment)}"

"""On every page: links to the live runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import streamlit as st

from pages.parts.common.first_drawing import drawn, first_drawing_over
from pages.parts.common.lab import the_lab
from pages.parts.common.titles import in_words
from transfer import settings
from transfer.errors import LabError
from transfer.insight import words

if TYPE_CHECKING:
    from transfer.lab import Lab, Run

EVERY_SECONDS = 2.0
# Whoever opens a run's page, often a whole class, wants to see that run.
BESIDE_A_RUN_SECONDS = 10.0
TEND_SECONDS = 1.0
MOST = 3


def banner() -> None:
    """A line for each live run except the one on show; also keeps the lab's workers ready."""
    beside = "run" in st.query_params or "race" in st.query_params
    st.fragment(live_runs, run_every=BESIDE_A_RUN_SECONDS if beside else EVERY_SECONDS)()


def live_runs() -> None:
    """The current lines."""
    lab = the_lab()
    try:
        # Not while a session's first page is drawn: starting a worker would slow it down.
        if first_drawing_over():
            _tend(str(settings.home()), lab)
            _look_ahead(lab)
        drawn()
        live = [run for run in lab.live() if run.id != st.query_params.get("run")]
        races = lab.races.of([run.id for run in live]) if live else {}
    except LabError as problem:
        st.error(str(problem), icon=":material/error:")
        return
    racing: dict[str, list[Run]] = {}
    for run in live:
        if run.id in races and races[run.id] != st.query_params.get("race"):
            racing.setdefault(races[run.id], []).append(run)
    live = [run for run in live if run.id not in races]
    if not live and not racing:
        return
    with st.container(border=True, gap="xxsmall"):
        for race, runs in racing.items():
            st.page_link("pages/lab.py", label=_race_words(runs), icon=":material/sports_score:",
                         query_params={"race": race})  # fmt: skip
        for run in live[:MOST]:
            st.page_link("pages/lab.py", label=_words(run), icon=":material/play_circle:", query_params={"run": run.id})
        if len(live) > MOST:
            st.page_link("pages/runs.py", label=f"and {len(live) - MOST} more", icon=":material/more_horiz:")


@st.cache_resource(ttl=TEND_SECONDS, show_spinner=False)
def _tend(home: str, _lab: Lab) -> None:
    """Called once for all tabs: it queries the store and the system."""
    _lab.tend()


@st.cache_resource(show_spinner=False)
def _look_ahead(_lab: Lab) -> None:
    """Reads the table of runs once while nobody waits for it; later reads fetch only changes."""
    threading.Thread(target=_lab.summary.table, daemon=True).start()


def _race_words(live: list[Run]) -> str:
    now = next((run for run in live if run.state == "running"), live[0])
    left = f"{len(live)} run{'s' if len(live) != 1 else ''} to go"
    return f":primary[**Race, {left}**] · {in_words(now.experiment)}, seed {now.experiment.seed}"


def _words(run: Run) -> str:
    progress = run.progress or {}
    far = (
        f"{words.percent(progress['done'] / progress['total'])}"
        if progress.get("total")
        else progress.get("text") or "starting"
    )
    return f":primary[**{'Waiting' if run.state == 'queued' else 'Running, ' + far}**] · {in_words(run.experiment)}"

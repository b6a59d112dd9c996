"""A run in progress: its stage in words, its curves with a sentence each, its result."""

from __future__ import annotations

import time

import streamlit as st

from pages.parts import device, domains, strip
from pages.parts.charts import Surroundings, charts, held
from pages.parts.log import Log, log_of
from pages.parts.shared import ICONS, still_there, the_lab, title
from transfer import catalog
from transfer.insight import sentences, words
from transfer.lab import Lab, Run

EVERY_SECONDS = 0.5
FIRST_POINT_SECONDS = 0.4
WISHES = {"pause": "pausing: writing a checkpoint", "stop": "stopping: keeping the best epoch", "discard": "discarding"}


def watch(shown: Run | None, around: Surroundings) -> None:
    """Draws the run; while it is live, again and again with what is new, and no longer than that."""
    every = EVERY_SECONDS if shown is not None and shown.live else None
    st.fragment(still_there(_draw), run_every=every)(shown.id if shown else None, _signature(shown), around)


def _signature(run: Run | None) -> tuple[str, str | None, int] | None:
    """What the buttons outside depend on."""
    return (run.state, run.wish, run.attempts) if run else None


def _draw(run_id: str | None, drawn_for: tuple[str, str | None, int] | None, around: Surroundings) -> None:
    lab, run = the_lab(), None
    if run_id is not None:
        run = lab.run(run_id)
        log_of(run.id).follow(lab, run, held())
        if st.session_state.get("watched") == run.id:
            run = _first_point(lab, run, log_of(run.id))
        st.session_state["watched"] = run.id
        if _signature(run) != drawn_for:
            st.rerun(scope="app")
        _status(run, log_of(run.id))
    charts(run, around)
    if run is not None:
        domains.section(run, log_of(run.id))
        _moved(run, log_of(run.id))
        for note in log_of(run.id).notes:
            st.caption(f":material/chat_info: {note}")
    device.line(run)


def _first_point(lab: Lab, run: Run, log: Log) -> Run:
    """Waits a moment while a run has none: the first point is shown when it comes, not at the next turn."""
    until = time.monotonic() + FIRST_POINT_SECONDS
    while run.live and log.history.empty and time.monotonic() < until:
        time.sleep(0.02)
        run = lab.run(run.id)
        log.read(lab, run)
    return run


def _moved(run: Run, log: Log) -> None:
    """The stages and how far each has moved, once one of them has; of a run that was tested, at the tested epoch."""
    tested = None if run.live else run.metrics.get("best_epoch")
    distances = log.moved(tested)
    if not any(distances.values()):
        return
    when = "So far, " if run.live else f"At epoch {tested:g}, " if tested is not None else ""
    st.markdown(
        f"**What moved** · {when}{sentences.about_moved(distances)}",
        help="How far a stage's weights are from where they started, relative to their size (relative L2).",
    )
    strip.moved(distances)


def _status(run: Run, log: Log) -> None:
    """One line: what is going on, how far it is and how long it still takes."""
    progress = run.progress or {}
    total, done = progress.get("total") or 0, progress.get("done") or 0
    if run.state == "queued":
        waiting = the_lab().worker_trouble()
        if waiting:
            st.error(f"No worker starts. {waiting}", icon=":material/error:")
        st.progress(0.0, text=f"{ICONS['queued']} queued, waiting for a worker")
    elif run.state == "running":
        doing = WISHES.get(run.wish or "") or progress.get("text") or "starting"
        parts = [f"**{doing}**"]
        if total and not run.wish:
            parts += [f"{words.percent(done / total)}", words.time_left(log.marks)]
            parts[-1] += _and_then(run, log) if parts[-1] else ""
        st.progress(min(1.0, done / total) if total else 0.0, text=" · ".join(part for part in parts if part))
    else:
        _ended(run)


def _and_then(run: Run, log: Log) -> str:
    return f", then {title(catalog.datasets(), run.experiment.target)}" if log.domain == "source" else ""


def _ended(run: Run) -> None:
    took = words.duration(run.seconds)
    tested = words.result(run.metrics)
    if run.state == "failed":
        brief, _, _ = run.error.strip().rpartition("\n")
        st.error(run.error if not brief else run.error.strip().rsplit("\n", 1)[-1], icon=ICONS["failed"])
        if brief:
            with st.expander("Full error message, for a bug report"):
                st.code(run.error, language=None)
    elif tested:
        best = run.metrics.get("best_epoch")
        early = " Stopped early." if run.state == "stopped" else ""
        last = (
            ", the last one, because there were no target labels to choose by"
            if run.experiment.labels_per_class == 0
            else ""
        )
        st.success(f"{tested}. Weights from epoch {best:g}{last}. Took {took}.{early}", icon=ICONS[run.state])
    else:
        said = {
            "paused": "Paused after {took}. Resume continues from the checkpoint.",
            "interrupted": "Interrupted after {took}: its process ended. Resume continues from the last checkpoint.",
            "stopped": "Stopped after {took}, before it had anything to test.",
        }
        st.info(said.get(run.state, run.state).format(took=took), icon=ICONS[run.state])

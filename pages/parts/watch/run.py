"""A run in progress: its stage in words, its curves with a sentence each, its result."""

from __future__ import annotations

import streamlit as st

from pages.kinds import kind_of
from pages.live import drawing
from pages.live.status import moved, status, structure
from pages.parts.common.lab import the_lab
from pages.parts.common.run_log import log_of
from pages.parts.common.titles import ICONS
from pages.parts.watch import device, domains
from pages.parts.watch.charts import ChartContext, charts
from transfer.insight import words
from transfer.lab import Run


def watch(shown: Run | None, around: ChartContext) -> None:
    """Draws the run. While it is live, its points are streamed to the charts separately (`pages.live`)."""
    if shown is None:
        charts(None, around)
        device.line(None, drawing.Followed({}, {}))
        return
    lab, run, log = the_lab(), shown, log_of(shown.id)
    log.read(lab, run)
    follow = domains.followed(run, log)
    if follow.known:
        drawing.status("live_status", status(run, log), {run.id: structure(run, log)}, follow)
    if not run.live:
        _ended(run)
    if run.state == "queued" and (waiting := lab.worker_trouble()):
        st.error(f"No worker process could be started. {waiting}", icon=":material/error:")
    charts(run, around)
    domains.section(run, log)
    drawing.moved("live_moved", moved(run, log), follow)
    for note in log.notes:
        st.caption(f":material/chat_info: {note}")
    device.line(run, follow)


def _ended(run: Run) -> None:
    took = words.duration(run.seconds)
    tested = kind_of(run.experiment.target).words(words.result(run.metrics))
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

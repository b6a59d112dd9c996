"""Several runs in one chart: any curve, averages over seeds, and the settings that differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.common.entry import through_app
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import still_there
from pages.parts.common.run_log import log_of
from pages.parts.common.titles import names
from transfer import catalog
from transfer.insight.words import counted, percent

if TYPE_CHECKING:
    from transfer.insight.compare import View
    from transfer.lab import Run

MOST = 40
AXES = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}
SPLITS = {"validation": "validation", "train": "training batches"}


def asked_for() -> list[Run]:
    """The runs named in the address that still exist."""
    keys = [key for key in st.query_params.get("runs", "").split(",") if key][:MOST]
    found = [the_lab().store.run(key) for key in dict.fromkeys(keys)]
    missing = sum(one is None for one in found)
    if missing:
        st.caption(f":material/search_off: {missing} of {len(keys)} runs no longer exist.")
    return [one for one in found if one is not None]


def switches(runs: list[Run]) -> View:
    """Which curve, which x axis, and how it is drawn."""
    from transfer.insight import compare, race

    session: Any = {"persist_state": "session"}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        split = st.segmented_control("Show", list(SPLITS), default="validation", format_func=SPLITS.__getitem__,
                                     key="compare_split", required=True, **session)  # fmt: skip
        known = compare.values([log_of(run.id).history for run in runs], split) or ["accuracy", "loss"]
        value = st.selectbox("Curve", known, format_func=lambda name: name.replace("_", " "), key=f"curve:{split}",
                             width=220, **session)  # fmt: skip
        axis = st.segmented_control("X axis", list(AXES), default="epoch", format_func=AXES.__getitem__,
                                    key="compare_axis", required=True, **session)  # fmt: skip
        log = st.toggle("Logarithmic", key="compare_log", **session)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        smoothing = st.slider("Smoothing", 0.0, 0.99, 0.0, 0.01, key="compare_smoothing", width=240,
                              disabled=split == "validation", **session,
                              help="For training curves only. The raw line stays visible; smoothing restarts with each "
                              "phase. A smoothed curve lags behind.")  # fmt: skip
        several = any(len(arm.runs) > 1 for arm in race.arms(runs))
        mean = st.toggle("Average over seeds", value=True, key="compare_mean", disabled=not several, **session,
                         help="Shows runs that differ only in their seed as one average with a 95 % band.")  # fmt: skip
    revision = f"{value}:{split}:{axis}:{log}"
    return compare.View(value, split, axis, log, smoothing, mean and several, _classes(runs), revision)


def _classes(runs: list[Run]) -> int | None:
    """The baselines of the target, if all runs have the same target."""
    targets = {(run.experiment.target, run.experiment.without) for run in runs}
    dataset = catalog.datasets().get(runs[0].experiment.target) if len(targets) == 1 else None
    return catalog.kept_classes(runs[0].experiment) if dataset else None


def draw(keys: list[str], view: View, was_live: bool) -> None:
    """The curves; points of live runs are streamed separately (`pages.live`)."""
    from functools import partial

    from pages.live import drawing
    from pages.live.status import outer, status
    from transfer.insight import compare, race

    lab = the_lab()
    runs = [run for key in keys if (run := lab.store.run(key))]
    read(runs)
    live = [run for run in runs if run.live]
    if bool(live) != was_live:
        st.rerun(scope="app")
    logs = {run.id: log_of(run.id) for run in runs}
    follow = drawing.Followed.of({run.id: logs[run.id] for run in live})
    if live:
        done = {run.id: status(run, logs[run.id])["share"] for run in runs}
        going = counted(len(live), "run is in progress", "runs are in progress")
        progress = {"doing": going, "rest": "", "share": sum(done.values()) / len(done)}
        drawing.status("compare_status", progress, {run.id: outer(run) for run in live}, follow, done)
    histories = {run: log.history for run, log in logs.items()}
    figure = partial(compare.figure, race.arms(runs), histories, names(runs), view)
    words = drawing.Words(view.value.replace("_", " ").capitalize(), counted(len(runs), "run"))
    drawing.chart("compare_chart", figure, lambda: words, view.value, drawing.View(view.axis, source=False), follow)


def read(runs: list[Run]) -> None:
    """Reads the runs' new events."""
    for run in runs:
        log_of(run.id).read(the_lab(), run)


def results(runs: list[Run]) -> None:
    """Best, last and test accuracy of each run, with a link to it."""
    named = names(runs)
    for run in runs:
        metrics = run.metrics
        parts: list[str] = [run.state]
        for name, words in (("validation_accuracy", "best"), ("last_validation_accuracy", "last")):
            if metrics.get(name) is not None:
                parts.append(f"{words} validation {percent(metrics[name], 1)}")
        if metrics.get("test_accuracy") is not None:
            band = f"{100 * metrics['test_low']:.1f} to {100 * metrics['test_high']:.1f}"
            parts.append(f"test {percent(metrics['test_accuracy'], 1)} ({band})")
        st.page_link("pages/lab.py", label=f"**{named[run.id]}** · {' · '.join(parts)}",
                     icon=":material/open_in_new:", query_params={"run": run.id})  # fmt: skip


def page(runs: list[Run]) -> None:
    """The whole comparison."""
    from transfer.insight import compare, facts

    read(runs)
    if mixed := facts.mixed_data(runs):
        st.warning(mixed, icon=":material/difference:")
    live = any(run.live for run in runs)
    view = switches(runs)
    st.fragment(still_there(draw))([run.id for run in runs], view, live)
    st.caption(
        "Shows where runs diverge. Over seconds, a busy machine distorts the curves; smoothing makes changes appear "
        "later than they were."
    )
    st.subheader("What differs", anchor=False)
    named = names(runs)
    found = compare.difference({named[run.id]: run.experiment for run in runs})
    if len(runs) < 2:
        st.caption("Select at least two runs.")
    elif found.empty:
        st.caption("No differences: all settings are the same, including the seed.")
    else:
        st.dataframe(found, key="difference", height="content")
    st.subheader("Results", anchor=False)
    results(runs)


through_app()
st.header("Compare", anchor=False)
chosen = asked_for()
if chosen:
    page(chosen)
else:
    st.info("Select runs on the Runs page and press Compare to see their curves together.",
            icon=":material/stacked_line_chart:")  # fmt: skip
    st.page_link("pages/runs.py", label="Open Runs", icon=":material/arrow_forward:")

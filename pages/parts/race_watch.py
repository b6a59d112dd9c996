"""A race as it goes on: one chart with a band a competitor, a table, a verdict, and what transfer was worth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.charts import CONFIG
from pages.parts.race_log import RaceLog, race_log
from pages.parts.shared import the_lab
from transfer import catalog
from transfer.errors import LabError, UnknownKey
from transfer.insight import gain, label_curve, race, race_chart
from transfer.insight.words import duration
from transfer.lab import Run
from transfer.lab.races import Race

EVERY_SECONDS = 1.0
MORE_SEEDS = 3
AXES = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}
BUDGET_AXES = {"epochs": {}, "images": {"images": "images seen"}, "seconds": {"training": "seconds of training"}}


def shown_race() -> Race | None:
    """The race the address names, if there is one."""
    key = st.query_params.get("race")
    if not key:
        return None
    try:
        return the_lab().races.get(key)
    except UnknownKey:
        st.warning(f"There is no race {key} here; below you can start a new one.", icon=":material/search_off:")
        return None


def earlier() -> None:
    """Ways back to races that were run before."""
    races = the_lab().races.newest(5)
    if not races:
        st.caption("A race of four strategies with three seeds takes some minutes. It goes on when this tab is closed.")
        return
    st.markdown("**Earlier races**")
    for one in races:
        fields = " and ".join(name.replace("_", " ") for name in one.about.fields)
        when = datetime.fromtimestamp(one.created).strftime("%d %b, %H:%M")
        st.page_link("pages/lab.py", label=f"{when} · by {fields}", icon=":material/sports_score:",
                     query_params={"race": one.id})  # fmt: skip


def watch(shown: Race, majority: float | None) -> None:
    """Buttons, then the race, drawn again and again with what is new while a run of it is live.

    Args:
        shown: the race.
        majority: share of the target's commonest class, None when not known.
    """
    runs = the_lab().races.runs(shown.id)
    live = any(run.live for run in runs)
    _buttons(shown, runs, live)
    every = EVERY_SECONDS if live else None
    st.fragment(_draw, run_every=every)(shown, live, len(runs), majority)


def _buttons(shown: Race, runs: Sequence[Run], live: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Three more seeds", key="race_more", on_click=_more, args=(shown.id,), icon=":material/repeat:",
                  type="secondary" if live else "primary",
                  help="Repeats every competitor with three seeds it has not had: bands get narrower.")  # fmt: skip
        st.button("Stop the race", key="race_stop", on_click=_stop, args=(shown.id,), icon=":material/stop:",
                  disabled=not live, help="Runs that wait end at once; one that trains keeps its best.")  # fmt: skip
        st.button("New race", key="race_new", on_click=_leave, type="tertiary", icon=":material/add:",
                  help="Clears the picture; the runs stay on the Runs page.")  # fmt: skip
        ended = sum(not run.live for run in runs)
        st.caption(f"{ended} of {len(runs)} runs have ended")
        axes = _axes(shown)
        st.segmented_control("Along x", list(axes), default=next(iter(axes)), format_func=axes.__getitem__,
                             key=f"race_axis:{shown.about.currency}", required=True, persist_state="session",
                             label_visibility="collapsed")  # fmt: skip


def _more(race_id: str) -> None:
    try:
        the_lab().races.extend(race_id, MORE_SEEDS)
    except LabError as problem:
        st.session_state["trouble"] = str(problem)


def _stop(race_id: str) -> None:
    lab = the_lab()
    for run in lab.races.runs(race_id):
        if run.live:
            try:
                lab.stop(run.id)
            except LabError as problem:  # it ended in this moment, or is being stopped already
                st.session_state["trouble"] = str(problem)


def _leave() -> None:
    st.query_params.clear()
    st.session_state["racing"] = True


def _draw(shown: Race, was_live: bool, count: int, majority: float | None) -> None:
    lab, log = the_lab(), race_log(shown.id)
    runs = lab.races.runs(shown.id)
    live = any(run.live for run in runs)
    if live != was_live or len(runs) != count:
        st.rerun(scope="app")
    if waiting := lab.worker_trouble() if live else "":
        st.error(f"No worker comes up. {waiting}", icon=":material/error:")
    log.read(lab, runs)
    if not runs:
        st.info("All runs of this race were deleted.", icon=":material/delete:")
        return
    several = race.arms(runs)
    if live:
        _progress(runs)
    said = race.verdict(several)
    st.markdown(f"**Verdict** · {said}", help=VERDICT_HELP)
    _chart(shown, several, log, majority)
    _table(several, log)
    _by_labels(shown, several, majority)
    _gains(shown, several, log)


VERDICT_HELP = (
    "Bands are 95 % intervals of the mean test accuracy over seeds. A winner is named only when its band lies above "
    "every other's. It holds for this target, these labels and this budget."
)


def _progress(runs: Sequence[Run]) -> None:
    done = 0.0
    for run in runs:
        total = (run.progress or {}).get("total") or 0
        done += 1.0 if not run.live else min(1.0, run.progress["done"] / total) if total else 0.0
    now = [run for run in runs if run.state == "running"]
    doing = ", ".join(
        f"{race.in_words('strategy', run.experiment.strategy)}, seed {run.experiment.seed}" for run in now
    )
    st.progress(done / len(runs), text=f"**{doing or 'waiting for a worker'}**")


def _axes(shown: Race) -> dict[str, str]:
    """What may lie along x, the budget's own measure first."""
    return {**BUDGET_AXES[shown.about.currency], **AXES}


def _axis(shown: Race) -> race_chart.Axis:
    held: race_chart.Axis | None = st.session_state.get(f"race_axis:{shown.about.currency}")
    first: Any = next(iter(_axes(shown)))
    return held or first


def _frame(shown: Race, several: Sequence[race.Arm], majority: float | None) -> race_chart.Frame:
    targets = {arm.experiment.target for arm in several}
    dataset = catalog.datasets().get(next(iter(targets))) if len(targets) == 1 else None
    axis = _axis(shown)
    epochs = [arm.experiment.epochs for arm in several if arm.experiment.epochs]
    return race_chart.Frame(
        axis=axis,
        classes=len(dataset.classes) if dataset else None,
        majority=majority if dataset else None,
        span=max(epochs) if epochs and len(epochs) == len(several) else None,
        revision=f"{shown.id}:{axis}",
    )


def _chart(shown: Race, several: Sequence[race.Arm], log: RaceLog, majority: float | None) -> None:
    st.markdown(
        "**Validation accuracy** · who learns sooner, and whose end is higher: means with a band over seeds, a thin "
        "line while a seed trains",
        help="It misleads with two or three seeds, whose bands are wide or short by luck; and validation is what "
        "epochs are chosen by, so the test score in the table is the judge.",
    )
    drawn = race_chart.figure(several, log.points, _frame(shown, several, majority))
    st.plotly_chart(drawn, key="race_chart", config=CONFIG, alt=f"Validation accuracy of {len(several)} competitors")


def _table(several: Sequence[race.Arm], log: RaceLog) -> None:
    rows = race.table(several, log.points)
    share = {"format": "%.1f %%", "width": "small"}
    column: Any = st.column_config
    shown = pd.DataFrame(
        {
            "Competitor": rows["name"],
            "Seeds": [f"{ended} of {asked}" for ended, asked in zip(rows["ended"], rows["seeds"], strict=True)],
            "Test": 100 * rows["test"].astype(float),
            "95 % interval": [_interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "Best": 100 * rows["best"].astype(float),
            "Last": 100 * rows["last"].astype(float),
            "Took": [duration(one) if pd.notna(one) else "" for one in rows["seconds"]],
            "Trainable": rows["trainable"],
            "Memory": [f"{one:,.0f} MB" if pd.notna(one) else "" for one in rows["memory"]],
        }
    )
    st.dataframe(
        shown, hide_index=True, key="race_table", height="content",
        column_config={
            "Test": column.NumberColumn(help="Mean accuracy on the test set, looked at once a run.", **share),
            "95 % interval": column.TextColumn(help="Of the mean over seeds; none with one seed."),
            "Best": column.NumberColumn(help="Validation accuracy of the best epoch.", **share),
            "Last": column.NumberColumn(help="Validation accuracy of the last epoch.", **share),
            "Took": column.TextColumn(help="Mean time of a run, the source's included."),
            "Trainable": column.NumberColumn(help="Weights that learn.", format="localized", width="small"),
            "Memory": column.TextColumn(help="At its peak."),
        },
    )  # fmt: skip


def _interval(low: float | None, high: float | None) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %" if low is not None and high is not None and low == low else ""


def _by_labels(shown: Race, several: Sequence[race.Arm], majority: float | None) -> None:
    """Accuracy against labels a class, when several numbers of labels raced."""
    curves = label_curve.curves(several)
    if not curves:
        return
    st.markdown(
        "**Accuracy against labels a class** · with how many labels a way is worth it; a red ring is where two cross",
        help="It misleads between two measured numbers of labels, where the line is a guess, and where bands overlap: "
        "curves then cross by chance.",
    )
    drawn = race_chart.by_labels(curves, _frame(shown, several, majority))
    st.plotly_chart(drawn, key="race_labels_chart", config=CONFIG, alt="Test accuracy against labels a class")
    scratch = [one for one in curves if one.strategy == race.SCRATCH]
    for way in [one for one in curves if one.strategy != race.SCRATCH and scratch]:
        words = [label_curve.in_words(saved) for saved in label_curve.labels_saved(way, scratch[0])]
        if words:
            st.caption(f"**Labels saved, {way.name}**: {'; '.join(words)}.")


def _gains(shown: Race, several: Sequence[race.Arm], log: RaceLog) -> None:
    """Did transfer help: against from scratch at the same budget."""
    if not any(arm.scratch for arm in several):
        st.caption("From scratch did not race, so nobody can say whether transfer helped.")
        return
    axis = _axis(shown)
    curves = {run: race_chart.curve(points, axis) for run, points in log.points.items()}
    found = gain.gains(several, curves)
    if not found:
        return
    st.markdown(
        "**Did transfer help?** · against from scratch at the same budget, seed by seed, with 95 % intervals",
        help="The measures of Taylor and Stone (2009). Jumpstart: accuracy before the first step. Asymptotic: test "
        "accuracy at the end. Total reward ratio: how much larger the area under the curve is. Sooner: how much "
        "earlier the curve reaches 90 % of what from scratch ends with. They mislead with few seeds.",
    )
    for one in found:
        st.markdown(f"- {gain.sentence(one)}")
    rows = gain.frame(found)
    rows.columns = pd.Index(
        [
            "Competitor",
            "Jumpstart (points)",
            "Asymptotic (points)",
            "Total reward ratio",
            f"Sooner ({_axes(shown)[axis]})",
        ]
    )
    st.dataframe(rows, hide_index=True, key="race_gains", height="content")

"""A race in progress: its verdict, one chart with a band per competitor, and its results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from pages.live import drawing
from pages.live.status import outer
from pages.parts.choose.class_counts import counts
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import still_there
from pages.parts.common.titles import ICONS
from pages.parts.race import results
from pages.parts.race.log import RaceLog, race_log
from transfer import catalog, ids
from transfer.errors import LabError, UnknownKey
from transfer.insight import race, race_chart
from transfer.lab import Run
from transfer.lab.races import Race

MOST_FOLLOWED = 30
MORE_SEEDS = 3
MOST_BROKEN = 3
AXES = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}
BUDGET_AXES = {"epochs": {}, "images": {"images": "images seen"}, "seconds": {"training": "seconds of training"}}


def shown_race() -> Race | None:
    """The race named in the address, if there is one."""
    key = st.query_params.get("race")
    if not key:
        return None
    try:
        return the_lab().races.get(key)
    except UnknownKey:
        st.warning(
            f"There is no race {ids.shown(key)} here. You can start a new one below.", icon=":material/search_off:"
        )
        return None


def earlier() -> None:
    """Links to earlier races."""
    races = the_lab().races.newest(5)
    if not races:
        st.caption("Four strategies with three seeds take a few minutes. The race continues if you close this tab.")
        return
    st.markdown("**Earlier races**")
    for one in races:
        fields = " and ".join(name.replace("_", " ") for name in one.about.fields)
        when = datetime.fromtimestamp(one.created).strftime("%d %b, %H:%M")
        st.page_link("pages/lab.py", label=f"{when} · by {fields}", icon=":material/sports_score:",
                     query_params={"race": one.id})  # fmt: skip


def watch(shown: Race) -> None:
    """Buttons, then the race; points of its live runs are streamed separately (`pages.live`)."""
    runs = the_lab().races.runs(shown.id)
    live = any(run.live for run in runs)
    _buttons(shown, runs, live)
    st.fragment(still_there(_draw))(shown, live, len(runs))


def _buttons(shown: Race, runs: Sequence[Run], live: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Three more seeds", key="race_more", on_click=_more, args=(shown.id,), icon=":material/repeat:",
                  type="secondary" if live else "primary",
                  help="Trains every competitor with three more seeds, which usually narrows the bands.")  # fmt: skip
        st.button("Stop the race", key="race_stop", on_click=_stop, args=(shown.id,), icon=":material/stop:",
                  disabled=not live,
                  help="Cancels waiting runs; the running one stops and keeps its best epoch.")  # fmt: skip
        st.button("New race", key="race_new", on_click=_leave, type="tertiary", icon=":material/add:",
                  help="Starts over; the runs stay on the Runs page.")  # fmt: skip
        if not live:  # while runs are live, the verdict counts them
            st.caption(f"All {len(runs)} runs have ended")
        axes = _axes(shown)
        st.segmented_control("X axis", list(axes), default=next(iter(axes)), format_func=axes.__getitem__,
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
            except LabError as problem:  # it has just ended, or is already being stopped
                st.session_state["trouble"] = str(problem)


def _leave() -> None:
    st.query_params.clear()
    st.session_state["racing"] = True


def _draw(shown: Race, was_live: bool, count: int) -> None:
    lab, log = the_lab(), race_log(shown.id)
    runs = lab.races.runs(shown.id)
    live = any(run.live for run in runs)
    if live != was_live or len(runs) != count:
        st.rerun(scope="app")
    if waiting := lab.worker_trouble() if live else "":
        st.error(f"No worker process could be started. {waiting}", icon=":material/error:")
    log.read(lab, runs)
    if not runs:
        st.info("All runs of this race were deleted.", icon=":material/delete:")
        return
    several = race.arms(runs)
    follow = _followed(runs, log)
    if live:
        _progress(runs, follow)
    _verdict(several)
    _broken(runs)
    frame = _frame(shown, several)
    results.by_labels(several, frame)
    _chart(shown, several, log, follow)
    results.table(several, log)
    axis = frame.axis
    results.gains(several, {run: race_chart.curve(points, axis) for run, points in log.points.items()},
                       _axes(shown)[axis])  # fmt: skip


def _verdict(several: Sequence[race.Arm]) -> None:
    said = race.verdicts(several)
    if len(said) == 1:
        st.markdown(f"**Verdict** · {said[0][1]}", help=VERDICT_HELP)
        return
    lines = "\n".join(f"- **{heading}** · {sentence}" for heading, sentence in said)
    st.markdown(f"**Verdict**\n{lines}", help=VERDICT_HELP)


def _broken(runs: Sequence[Run]) -> None:
    """Links to failed runs, with their error messages."""
    broken = [run for run in runs if run.state in race.BROKEN]
    for run in broken[:MOST_BROKEN]:
        who = f"{race.in_words('strategy', run.experiment.strategy)}, seed {run.experiment.seed}"
        said = run.error.strip().rsplit("\n", 1)[-1][:120]
        st.page_link("pages/lab.py", label=f"**{who}** · {run.state}{': ' + said if said else ''}",
                     icon=ICONS[run.state], query_params={"run": run.id})  # fmt: skip
    if len(broken) > MOST_BROKEN:
        st.caption(f"and {len(broken) - MOST_BROKEN} more; see the Runs page")


SEEN = "Average over seeds with its 95 % band; thin lines are still training."
SEEN_HELP = (
    "Shows who learns faster and who ends higher. With two or three seeds a band can be wide or narrow by luck. Epochs "
    "are chosen on validation, so compare test accuracies in the table."
)
VERDICT_HELP = (
    "Test accuracies are compared seed by seed, because the same seed has the same split and the same labels. A winner "
    "is named only if the 95 % interval of its lead over every other is above 0. Equal scores across seeds "
    "prove nothing: no interval is shorter than the number of test pictures allows. The verdict holds for this target, "
    "these labels and this budget."
)


def _followed(runs: Sequence[Run], log: RaceLog) -> drawing.Followed:
    """The streams of the running runs and of those next in the queue, from the last drawn event on."""
    live = sorted((run for run in runs if run.live), key=lambda run: run.state == "queued")[:MOST_FOLLOWED]
    known = {run.id: log.cursors.get(run.id, 0) for run in live}
    return drawing.Followed(known, {run.id: log.resumed.get(run.id, 0) for run in live})


def _progress(runs: Sequence[Run], follow: drawing.Followed) -> None:
    shares = {}
    for run in runs:
        total = (run.progress or {}).get("total") or 0
        shares[run.id] = 1.0 if not run.live else min(1.0, run.progress["done"] / total) if total else 0.0
    doing = ", ".join(
        f"{race.in_words('strategy', run.experiment.strategy)}, seed {run.experiment.seed}"
        for run in runs
        if run.state == "running"
    )
    progress = {"doing": doing or "waiting for a worker", "rest": "", "share": sum(shares.values()) / len(shares)}
    structures = {run.id: outer(run) for run in runs if run.id in follow.known}
    drawing.status("race_status", progress, structures, follow, shares)


def _axes(shown: Race) -> dict[str, str]:
    """The choices for the x axis, the budget's own unit first."""
    return {**BUDGET_AXES[shown.about.currency], **AXES}


def _axis(shown: Race) -> race_chart.Axis:
    held: race_chart.Axis | None = st.session_state.get(f"race_axis:{shown.about.currency}")
    first: Any = next(iter(_axes(shown)))
    return held or first


def _frame(shown: Race, several: Sequence[race.Arm]) -> race_chart.Frame:
    first = several[0].experiment
    alike = len({(arm.experiment.target, arm.experiment.without) for arm in several}) == 1
    dataset = catalog.datasets().get(first.target) if alike else None
    every = counts(dataset) if dataset else None
    counted = every.without(dataset.classes, first.without) if dataset and every else None
    axis = _axis(shown)
    epochs = [arm.experiment.epochs for arm in several if arm.experiment.epochs]
    return race_chart.Frame(
        axis=axis,
        classes=catalog.kept_classes(first) if dataset else None,
        majority=counted.majority if counted else None,
        span=max(epochs) if epochs and len(epochs) == len(several) else None,
        revision=f"{shown.id}:{axis}",
    )


def _chart(shown: Race, several: Sequence[race.Arm], log: RaceLog, follow: drawing.Followed) -> None:
    """The curves; if several data sets or numbers of labels compete, one combination at a time."""
    groups = race.groups(several)
    among, place = groups[0][1], 0
    if len(groups) > 1:
        place = st.segmented_control("Curves of", range(len(groups)), default=0, key=f"race_group:{shown.id}",
                                     format_func=[heading for heading, _ in groups].__getitem__, required=True,
                                     label_visibility="collapsed")  # fmt: skip
        among = groups[place][1]
    frame = _frame(shown, among)
    frame = replace(frame, revision=f"{frame.revision}:{place}")
    words = drawing.Words("Validation accuracy", SEEN, SEEN_HELP)
    view = drawing.View(race_chart.COLUMNS.get(frame.axis, frame.axis), source=False)
    draw = partial(race_chart.figure, among, log.points, frame)
    drawn_for = [frame, [(run.id, run.state, log.resumed.get(run.id)) for arm in among for run in arm.runs]]
    drawing.chart("race_chart", draw, lambda: words, "accuracy", view, follow, drawn_for)

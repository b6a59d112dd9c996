"""Of a run that adapts: both domains in one plane, how far apart they are, and what choosing is worth."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from pages.parts.inquiry import inquire
from pages.parts.log import Log
from pages.parts.shared import the_lab
from transfer import catalog
from transfer.insight import domains
from transfer.insight.points import split_of
from transfer.lab import Run

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
ORACLE = "target_oracle"
LOOKED_THROUGH = 500


def oracle(run: Run) -> Run | None:
    """The newest finished run with all target labels that this one can be measured by."""
    asked = run.experiment
    alike = ("target", "source", "backbone", "image_size", "seed", "without")
    for one in the_lab().runs(LOOKED_THROUGH):
        same = all(getattr(one.experiment, name) == getattr(asked, name) for name in alike)
        if one.state == "finished" and one.experiment.strategy == ORACLE and same:
            return one
    return None


def marks(run: Run | None, log: Log) -> tuple[tuple[float, str], ...]:
    """Heights for the chart of accuracy: baselines, and of a run that adapts floor and ceiling, as far as known."""
    if run is None:
        return ()
    if not log.planes:
        return tuple((accuracy, name) for name, accuracy in log.baselines.items())
    points = split_of(log.history, "validation").dropna(subset=["accuracy"])
    found = [(float(points["accuracy"].iloc[0]), "source only")] if not points.empty else []
    best = oracle(run)
    if best is not None and best.metrics.get("validation_accuracy"):
        found.append((best.metrics["validation_accuracy"], "target oracle"))
    return tuple(found)


def section(run: Run, log: Log) -> None:
    """Everything about the two domains; nothing for a run that does not adapt."""
    if not log.planes:
        return
    _plane(run, log)
    if "a_distance" in log.history:
        st.markdown(
            "**How far apart** · The proxy A-distance of the features: at 0 no line tells source from target, "
            "at 2 one always does.",
            help="It misleads where classes are missing in one domain: then features should not lie on one another.",
        )
        figure = domains.distance(log.history, run.id)
        st.plotly_chart(figure, key="chart_distance", config=CONFIG, alt="proxy A-distance over the epochs")
    if run.metrics.get("picks"):
        _choosing(run)


def _plane(run: Run, log: Log) -> None:
    st.markdown(
        "**Two domains** · Source and target features in one plane, fixed at the start; it does not jump.",
        help="The two directions in which features differed most at the start (PCA of features of length one). What "
        "looks apart is apart; what looks alike need not be. Target classes are for the picture alone: "
        "a run without labels does not know them.",
    )
    epochs = sorted(log.planes)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        chosen = st.segmented_control(
            "Colour by", list(domains.COLOURS), default="domain", key="plane_colour", required=True
        )
        neighbours = not run.live and bool(run.metrics.get("picks")) and _neighbours_wanted()
        epoch = epochs[-1]
        if len(epochs) > 1 and not run.live and not neighbours:
            epoch = st.select_slider(
                "Epoch", epochs, value=epochs[-1], format_func=lambda one: f"{one:g}", key=f"plane_epoch:{run.id}"
            )
    plane, seen = log.planes[epoch], list(log.planes.values())
    if neighbours:
        found = inquire("together", "features of both domains ...", run=run.id)
        if found is None:
            return
        plane = domains.Plane.of({"epoch": run.metrics["best_epoch"], **found})
        seen = [plane]
    colour: Literal["domain", "class"] = "class" if chosen == "class" else "domain"
    target = catalog.datasets().get(run.experiment.target)
    # Own pictures may have been removed since; their classes then have numbers only.
    numbers = range(1 + max([0, *plane.source_labels, *plane.target_labels]))
    names = target.classes if target else tuple(map(str, numbers))
    figure = domains.embedding(plane, domains.reach(seen), names, colour, f"{run.id}{neighbours}")
    st.plotly_chart(
        figure, key="chart_plane", config=CONFIG,
        alt=f"{len(plane.source)} source and {len(plane.target)} target pictures after epoch {plane.epoch:g}",
    )  # fmt: skip


def _neighbours_wanted() -> bool:
    """Whether the run's end is to be drawn by neighbourhoods, not by the plane of its start."""
    ways = {"pca": "the plane of the start", "tsne": "neighbours at the end"}
    way = st.segmented_control(
        "Drawn by", list(ways), default="pca", format_func=ways.__getitem__, key="plane_way", required=True,
        help="The plane keeps two directions (PCA) and goes through the epochs. Neighbours (t-SNE) keeps those "
        "together that are near in all directions, after training: where source and target of a class mix, they are "
        "one; how far groups lie from one another means nothing.",
    )  # fmt: skip
    return way == "tsne"


def _choosing(run: Run) -> None:
    others = bool(st.session_state.get("other_picks"))
    st.markdown(
        f"**Choosing an epoch** · {domains.verdict(run.metrics, others)}",
        help="The run takes its last epoch, or the one its target labels choose where it was given some. The others "
        "are what the test would have said, had something else chosen; the one by target labels is a cheat.",
    )
    st.toggle(
        "Had something else chosen the epoch", key="other_picks",
        help="Entropy, information, density and the source need no target label. Target labels are marked as a cheat.",
    )  # fmt: skip
    best = oracle(run)
    ceiling = best.metrics.get("test_accuracy") if best else None
    st.dataframe(domains.picks(run.metrics, ceiling, others), hide_index=True, width="stretch")
    if ceiling is None:
        st.caption("The share of the gap closed appears once the ceiling, Target oracle, has been run with this seed.")

"""For adaptation runs: both domains in one plane, how far apart they are, and how to choose the epoch."""

from __future__ import annotations

from functools import partial
from typing import Literal

import streamlit as st

from pages.live import drawing
from pages.parts.common.lab import the_lab
from pages.parts.common.network_questions import ask_network
from pages.parts.common.run_log import Log
from transfer import catalog
from transfer.insight import domains
from transfer.insight.points import split_of
from transfer.lab import Run

APART = (
    "The proxy A-distance of the features: at 0 no linear classifier separates source and target, at 2 one separates "
    "them completely."
)
APART_HELP = "Misleading if a class is missing in one domain: then the features should not match."
PLANE_HELP = (
    "The two directions in which features differed most at the start (PCA of features scaled to length one). Points "
    "that look apart are apart; points that look close need not be. Target classes are only drawn: a run without "
    "labels does not use them."
)
ORACLE = "target_oracle"
LOOKED_THROUGH = 500


def oracle(run: Run) -> Run | None:
    """The newest finished run with all target labels that this run can be compared with."""
    asked = run.experiment
    alike = ("target", "source", "backbone", "image_size", "seed", "without")
    for one in the_lab().runs(LOOKED_THROUGH):
        same = all(getattr(one.experiment, name) == getattr(asked, name) for name in alike)
        if one.state == "finished" and one.experiment.strategy == ORACLE and same:
            return one
    return None


def marks(run: Run | None, log: Log) -> tuple[tuple[float, str], ...]:
    """Reference lines for the accuracy chart: baselines or, for an adaptation run, floor and ceiling, if known."""
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
    """The section on the two domains; empty if the run does not adapt."""
    if not log.planes:
        return
    _plane(run, log)
    if "a_distance" in log.history:
        words = drawing.Words("How far apart", APART, APART_HELP)
        view = drawing.View(source=False, runs=[run.id])
        draw = partial(domains.distance, log.history, run.id)
        drawing.chart("chart_distance", draw, lambda: words, "a_distance", view, followed(run, log))
    if run.metrics.get("picks"):
        _choosing(run)


def followed(run: Run, log: Log) -> drawing.Followed:
    """The run's stream from the last drawn event on; none once it has ended. A paused one may be resumed elsewhere."""
    return drawing.Followed.of({run.id: log} if run.live or run.resumable else {}, run.id)


def _plane(run: Run, log: Log) -> None:
    st.markdown("**Two domains** · Source and target features in one plane, fixed at the start of training.",
                help=PLANE_HELP)  # fmt: skip
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
        found = ask_network("together", "computing features of both domains ...", run=run.id)
        if found is None:
            return
        plane = domains.Plane.of({"epoch": run.metrics["best_epoch"], **found})
        seen = [plane]
    colour: Literal["domain", "class"] = "class" if chosen == "class" else "domain"
    target = catalog.datasets().get(run.experiment.target)
    # The user's pictures may have been removed since; their classes then only have numbers.
    numbers = range(1 + max([0, *plane.source_labels, *plane.target_labels]))
    names = target.classes if target else tuple(map(str, numbers))
    draw = partial(domains.embedding, plane, domains.reach(seen), names, colour, f"{run.id}{neighbours}")
    words = drawing.Words("", domains.said(plane))
    drawing.chart("chart_plane", draw, lambda: words, "", drawing.View(), followed(run, log))


def _neighbours_wanted() -> bool:
    """Whether to draw the end of the run with t-SNE instead of the plane fixed at the start."""
    ways = {"pca": "plane fixed at the start", "tsne": "neighbours at the end"}
    way = st.segmented_control(
        "Method", list(ways), default="pca", format_func=ways.__getitem__, key="plane_way", required=True,
        help="The plane (PCA) shows two fixed directions, for every epoch. Neighbours (t-SNE) keeps pictures "
        "together that are close in all directions, after training: where source and target mix, the network does "
        "not tell them apart. Distances between clusters mean nothing.",
    )  # fmt: skip
    return way == "tsne"


def _choosing(run: Run) -> None:
    others = bool(st.session_state.get("other_picks"))
    st.markdown(
        f"**Choosing an epoch** · {domains.verdict(run.metrics, others)}",
        help="The run uses its last epoch or, if it has target labels, the one they choose. The other rows are "
        "the test accuracy of epochs that other criteria would choose; choosing by target labels is cheating.",
    )
    st.toggle(
        "Compare ways to choose the epoch", key="other_picks",
        help="Entropy, information, density and source validation need no target labels. The row with target labels is "
        "marked as cheating.",
    )  # fmt: skip
    best = oracle(run)
    ceiling = best.metrics.get("test_accuracy") if best else None
    st.dataframe(domains.picks(run.metrics, ceiling, others), hide_index=True, width="stretch")
    if ceiling is None:
        st.caption("To see how much of the gap is closed, run the ceiling, Target oracle, with this seed.")

"""Inside a run's network: its features in a plane, and what training moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from pages.kinds import kind_of
from pages.parts.common.network_questions import ask_network
from pages.parts.depth.results import CONFIG
from pages.parts.depth.samples import gallery
from transfer.insight import embedding, similarity
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run


def embedded(run: Run, answers: Answers) -> None:
    """The test set in the plane of its features, before and after training."""
    kind = kind_of(run.experiment.target)
    st.markdown(
        f"**The test set as the network sees it** · Each dot is a {kind.noun}; similar ones lie close together.",
        help="Features below the head, in two dimensions. PCA keeps distances along the two directions of largest "
        "variance and hides all others. t-SNE keeps neighbours together, but the sizes of clusters and the distances "
        "between them mean nothing. The second plot is rotated as a whole to match the first.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        method = st.segmented_control(
            "Method", list(embedding.METHODS), default="pca", format_func=embedding.METHODS.__getitem__,
            key="plane_method", required=True,
        )  # fmt: skip
        colour = st.segmented_control(
            "Colour by", embedding.COLOURS, default="class", key="embedding_colour", required=True
        )
    found = ask_network(
        "embedded",
        "computing features of the test set, before and after training ...",
        run=run.id,
        method=method or "pca",
    )
    if found is None:
        return
    clicked: list[int] = []
    for column, (name, title) in zip(st.columns(2), (("start", "Before"), ("end", "After")), strict=True):
        with column:
            agree = percent(float(found[f"agree_{name}"]))
            st.markdown(
                f"**{title} training** · {agree} lie among their own class",
                help=f"Share of {kind.nouns} whose five nearest neighbours, in all dimensions, are mostly of their "
                "class.",
            )
            figure = embedding.figure(found[name], answers, found["chosen"], colour or "class", f"{run.id}{method}")
            event: Any = st.plotly_chart(
                figure, key=f"chart_embedding_{name}", config=CONFIG, on_select="rerun", selection_mode="points",
                alt=f"features of the test set, {title.lower()} training: {agree} among their own class",
            )  # fmt: skip
            points = event["selection"].get("points") or []
            clicked += [_place(point["customdata"]) for point in points if point.get("customdata") is not None]
    # To a thousandth of the plot: rounding differs when the same network is loaded twice.
    if np.allclose(found["start"], found["end"], rtol=0, atol=1e-3 * float(np.ptp(found["start"]))):
        st.caption(":material/info: Both plots are the same: training did not change anything below the head.")
    if len(found["chosen"]) < len(answers.labels):
        st.caption(f"{len(found['chosen']):,} of {len(answers.labels):,} test {kind.nouns}, chosen at random.")
    gallery(run, answers, clicked[:12], "dot", f"Click a dot to see its {kind.noun}. Crosses are wrong answers.")


def _place(customdata: Any) -> int:
    """A point's number, which Streamlit gives alone or in a list."""
    return int(customdata[0] if isinstance(customdata, list | tuple) else customdata)


def moved(run: Run) -> None:
    """How far each stage's weights moved, and how much its outputs changed."""
    kind = kind_of(run.experiment.target)
    found = ask_network("moved", "comparing each stage before and after training ...", run=run.id)
    if found is None:
        return
    distances, alike = found["distances"], found["alike"]
    st.markdown(
        f"**What moved** · {similarity.verdict(distances, alike)}",
        help="Relative L2: how far a stage's weights moved, relative to their size. CKA (Kornblith et al. 2019): how "
        f"similar its outputs for the same test {kind.nouns} are; 1 means equal up to rotation and scale. Weights can "
        f"move far while outputs stay similar, and a change affects all stages above. With few {kind.nouns} CKA leans "
        "towards 1.",
    )
    st.plotly_chart(
        similarity.figure(distances, alike, run.id), key="chart_moved", config=CONFIG,
        alt=similarity.verdict(distances, alike),
    )  # fmt: skip
    st.caption(
        f"Compares the start with the tested epoch, on {found['count']} test {kind.nouns}, without batch-norm "
        "statistics."
    )

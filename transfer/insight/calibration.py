"""Whether a network is right as often as it claims to be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.insight.answers import Answers
from transfer.insight.curves import GREY, HUES
from transfer.insight.words import percent

BINS = 15


def reliability(answers: Answers, bins: int = BINS) -> pd.DataFrame:
    """How often the network is right among the answers of which it is about equally sure.

    Args:
        answers: n of them.
        bins: of equal width between 0 and 1; a bin holds its upper edge, not its lower.

    Returns:
        A row a bin that holds any: ``low``, ``high``, ``count``, mean ``confidence`` and ``accuracy``, 0 to 1.

    Reference:
        Guo et al. 2017, On calibration of modern neural networks, section 2.
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, answers.confidence, side="left") - 1, 0, bins - 1)
    table = pd.DataFrame({"place": place, "confidence": answers.confidence, "accuracy": answers.right.astype(float)})
    grouped = table.groupby("place")
    found = grouped.mean()
    found.insert(0, "count", grouped.size())
    found.insert(0, "high", edges[found.index.to_numpy() + 1])
    found.insert(0, "low", edges[found.index.to_numpy()])
    return found.reset_index(drop=True)


def expected_calibration_error(answers: Answers, bins: int = BINS) -> float:
    """Mean distance of sureness and accuracy over the bins, each weighed by its answers; 0 is calibrated.

    It tells whether a probability can be taken at its word. It misleads on few answers: a bin of
    three is never calibrated; and a network that always says the class frequencies has 0, too.

    Returns:
        0 to 1.

    Reference:
        Guo et al. 2017, eq. 3, with 15 bins of equal width.
    """
    found = reliability(answers, bins)
    apart = (found["accuracy"] - found["confidence"]).abs()
    return float((found["count"] * apart).sum() / found["count"].sum())


def verdict(answers: Answers) -> str:
    """The calibration in one sentence."""
    error = expected_calibration_error(answers)
    lean = float(answers.confidence.mean() - answers.right.mean())
    if abs(lean) < 0.01:
        return f"It is right as often as it claims (expected calibration error {percent(error, 1)})."
    how, fact = ("too confident", "less") if lean > 0 else ("too modest", "more")
    return (
        f"It is {100 * abs(lean):.0f} points {how}: right {fact} often than it claims "
        f"(expected calibration error {percent(error, 1)})."
    )


def figure(answers: Answers, revision: str, bins: int = BINS) -> go.Figure:
    """The reliability diagram: sureness across, accuracy up; below the diagonal it is too sure.

    Args:
        answers: of a test set.
        revision: zoom survives while this stays the same.
        bins: as for `reliability`.
    """
    found = reliability(answers, bins)
    drawn = go.Figure()
    drawn.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="as sure as right", line={"color": GREY, "dash": "dash", "width": 1.3},
        hoverinfo="skip",
    )  # fmt: skip
    drawn.add_bar(
        x=(found["low"] + found["high"]) / 2, y=found["accuracy"], width=found["high"] - found["low"],
        name="right", marker={"color": HUES[0], "opacity": 0.55, "line": {"width": 1, "color": HUES[0]}},
        customdata=found[["confidence", "count"]],
        hovertemplate="says %{customdata[0]:.1%}, is right %{y:.1%}<br>%{customdata[1]} pictures<extra></extra>",
    )  # fmt: skip
    drawn.add_scatter(
        x=found["confidence"], y=found["accuracy"], mode="markers", name="size: number of pictures",
        marker={
            "color": HUES[1], "size": 6 + 18 * np.sqrt(found["count"] / found["count"].sum()), "opacity": 0.9,
        },
        hoverinfo="skip", cliponaxis=False,
    )  # fmt: skip
    axis = {"range": [0, 1.02], "tickformat": ".0%", "dtick": 0.25, "zeroline": False}
    drawn.update_layout(
        height=330, margin={"l": 62, "r": 8, "t": 26, "b": 8}, uirevision=revision, bargap=0,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        xaxis=axis | {"title": {"text": "probability it gave its answer", "standoff": 4}},
        yaxis=axis | {"title": {"text": "share that was right"}, "automargin": False},
    )  # fmt: skip
    return drawn

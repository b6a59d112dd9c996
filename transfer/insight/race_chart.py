"""A race as a chart: a mean and a band over seeds for each competitor, with from scratch and chance alongside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.insight.curves import DASHES, GREY, HUES, SYMBOLS, TITLES, add_baselines, baselines
from transfer.insight.label_curve import LabelCurve, crossings
from transfer.insight.points import thin
from transfer.insight.race import LIVE, SCRATCH, Arm, Ran, pictures
from transfer.insight.seeds import band

Axis = Literal["epoch", "step", "seconds", "images", "training"]
COLUMNS = {"images": "images_seen", "training": "training_seconds"}
MARKED = 25
TITLES_ACROSS = {
    **TITLES,
    "seconds": "seconds since training on the target began",
    "images": "training images seen on the target",
    "training": "seconds of training on the target",
}


@dataclass(frozen=True)
class Frame:
    """What surrounds a race.

    Args:
        axis: what the x axis shows.
        classes: number of the target's classes; None if targets differ, so that no single chance line holds.
        majority: share of the most common class; None if unknown.
        span: last x expected, in epochs; None: as far as there are points.
        revision: zoom survives while this stays the same.
    """

    axis: Axis = "epoch"
    classes: int | None = 10
    majority: float | None = None
    span: float | None = None
    revision: str = "race"


def curve(points: pd.DataFrame, axis: Axis, value: str = "accuracy") -> tuple[np.ndarray, np.ndarray]:
    """One run's validation curve along an axis, starting before its first step; seconds count from there.

    Args:
        points: the run's validation points on the target, in order.
    """
    column = COLUMNS.get(axis, axis)
    if points.empty or value not in points or column not in points:
        return np.empty(0), np.empty(0)
    known = points.dropna(subset=[value])
    x, y = known[column].to_numpy(float), known[value].to_numpy(float)
    return (x - x[0] if axis == "seconds" and len(x) else x), y


def figure(several: Sequence[Arm], points: Mapping[str, pd.DataFrame], frame: Frame) -> go.Figure:
    """Validation accuracy of all competitors. Finished seeds make the mean and the band; a seed that is still
    training is a thin line, so that the mean does not jump where fewer seeds reach.

    What it tells you: who learns faster, and who ends higher. When it misleads: with two seeds the bands are
    always wide, and epochs are chosen on validation, so the table's test score decides.

    Args:
        several: the competitors.
        points: validation points on the target, by run.
        frame: axis and reference lines.
    """
    drawn = go.Figure()
    for number, arm in enumerate(several):
        hue, dash = style(number, arm.scratch)
        ended = {run.id for run in arm.ended}
        curves = [curve(points[run.id], frame.axis) for run in arm.ended if run.id in points]
        grid, mean, low, high = band(curves, 0.0, 1.0, pictures(arm.ended, "validation_pictures"))
        if len(curves) > 1:
            _add_band(drawn, grid, low, high, hue, str(number))
        label = arm.name if len(arm.runs) == 1 else f"{arm.name} ({len(curves)} of {len(arm.runs)})"
        kept = thin(grid, mean)
        drawn.add_scatter(
            x=grid[kept], y=mean[kept], name=label, legendgroup=str(number),
            mode="lines+markers" if len(kept) <= MARKED else "lines",
            line={"color": hue, "width": 2.4, "dash": dash},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 6},
            hovertemplate=f"{arm.name}<br>mean of {len(curves)} %{{y:.1%}}<br>{frame.axis} %{{x:.4~g}}<extra></extra>",
        )  # fmt: skip
        for run in arm.runs:
            if run.id not in ended and (run.state in LIVE or run.id in points):
                said = points.get(run.id, pd.DataFrame())
                x, y = curve(said, frame.axis)
                drawn.add_scatter(
                    x=x, y=y, mode="lines", opacity=0.6, showlegend=False, legendgroup=str(number),
                    meta=_going_on(run, said, frame.axis),
                    line={"color": hue, "width": 1.2, "dash": dash},
                    hovertemplate=f"{arm.name}, seed {run.experiment.seed} %{{y:.1%}}<extra></extra>",
                )  # fmt: skip
    add_baselines(drawn, baselines(frame.classes, frame.majority))
    across: dict[str, object] = {"title": {"text": TITLES_ACROSS[frame.axis], "standoff": 4}, "zeroline": False}
    if frame.axis == "epoch" and frame.span:
        across["range"] = [-0.01 * frame.span, 1.02 * frame.span]
    _lay_out(drawn, across, "validation accuracy", frame.revision, 360)
    return drawn


def _going_on(run: Ran, points: pd.DataFrame, axis: Axis) -> dict[str, object]:
    """What code that appends a live run's points has to know about its line, and ``from`` which second it counts."""
    if run.state not in LIVE:
        return {}
    begin = {} if axis != "seconds" else {"from": None if points.empty else float(points["seconds"].iloc[0])}
    return {"run": run.id, "split": "validation", **begin}


def by_labels(curves: Sequence[LabelCurve], frame: Frame) -> go.Figure:
    """Test accuracy against labels per class, on a logarithmic axis, with the points where means cross.

    What it tells you: with how many labels a way of learning is worth it. When it misleads: between two
    measured numbers of labels the line is a guess, and so is where it crosses another.

    Args:
        curves: one per way of learning.
        frame: reference lines.
    """
    drawn = go.Figure()
    for number, way in enumerate(curves):
        hue, dash = style(number, way.strategy == SCRATCH)
        mean = way.means
        low = np.array([one.mean if one.low is None else one.low for one in way.accuracy])
        high = np.array([one.mean if one.high is None else one.high for one in way.accuracy])
        low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
        _add_band(drawn, way.labels, low, high, hue, str(number))
        drawn.add_scatter(
            x=way.labels, y=mean, name=way.name, legendgroup=str(number), mode="lines+markers",
            line={"color": hue, "width": 2.4, "dash": dash},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate=f"{way.name}<br>%{{x:.3~g}} labels per class<br>test accuracy %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    places = [
        (*place, f"{one.name} and {other.name}")
        for one, other in combinations(curves, 2)
        if np.array_equal(one.labels, other.labels)
        for place in crossings(one.labels, one.means, other.means)
    ]
    if places:
        drawn.add_scatter(
            x=[place[0] for place in places], y=[place[1] for place in places], text=[place[2] for place in places],
            name="curves cross", mode="markers",
            marker={"symbol": "circle-open", "size": 13, "color": "#CC3311", "line": {"width": 2}},
            hovertemplate="%{text} cross<br>at %{x:.3~g} labels per class<extra></extra>",
        )  # fmt: skip
    add_baselines(drawn, baselines(frame.classes, frame.majority))
    ticks = sorted({round(float(one), 1) for way in curves for one in way.labels})
    across: dict[str, object] = {
        "title": {"text": "labels per class", "standoff": 4}, "type": "log", "zeroline": False,
        "tickvals": ticks, "ticktext": [f"{one:g}" for one in ticks],
    }  # fmt: skip
    _lay_out(drawn, across, "test accuracy", frame.revision, 360)
    return drawn


def style(number: int, scratch: bool) -> tuple[str, str]:
    """From scratch is grey and dashed wherever it stands; the others get a hue, and a dash once hues repeat."""
    if scratch:
        return GREY, "dash"
    return HUES[number % len(HUES)], DASHES[number // len(HUES) % len(DASHES)]


def _add_band(drawn: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, hue: str, group: str) -> None:
    red, green, blue = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    for edge, fill in ((high, None), (low, "tonexty")):
        drawn.add_scatter(
            x=x, y=edge, mode="lines", line={"width": 0}, fill=fill, fillcolor=f"rgba({red},{green},{blue},0.16)",
            showlegend=False, legendgroup=group, hoverinfo="skip",
        )  # fmt: skip


def _lay_out(drawn: go.Figure, across: dict[str, object], up: str, revision: str, height: int) -> None:
    drawn.update_layout(
        height=height, margin={"l": 62, "r": 8, "t": 10, "b": 8}, uirevision=revision, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        xaxis=across,
        yaxis={"title": {"text": up}, "range": [0, 1.03], "tickformat": ".0%", "dtick": 0.25, "zeroline": False},
    )  # fmt: skip

"""The terms a loss is made of, each with its own curve."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.insight.curves import DASHES, HUES, TITLES
from transfer.insight.points import Axis, split_of, thin

USUAL = {"n", "split", "domain", "phase", "epoch", "step", "seconds", "loss", "accuracy", "learning_rate"}
USUAL |= {"images_per_second"}


def names(history: pd.DataFrame) -> list[str]:
    """The named values a strategy adds to a run's training points, in their order."""
    others = [name for name in history.columns if name not in USUAL and ":" not in name]
    if not others:  # as most often; a page asks several times while it is drawn
        return []
    train = split_of(history, "train")
    return [name for name in others if train[name].notna().any()]


def figure(history: pd.DataFrame, axis: Axis, revision: str, span: tuple[float, float] | None = None) -> go.Figure:
    """Each term over one x axis, on a logarithmic scale, because their sizes differ by orders of magnitude.

    A term is drawn before its weight is applied. Accuracies among them (the source's) are shares from 0 to 1.

    Args:
        history: one row per point.
        axis: what the x axis shows.
        revision: zoom survives while this stays the same.
        span: first and last x, so that it lines up with the charts above; None: those of its own points.
    """
    drawn = go.Figure()
    train = split_of(history, "train")
    for number, name in enumerate(names(history)):
        rows = train[train[name].notna()]
        x, y = rows[axis].to_numpy(float), rows[name].to_numpy(float)
        kept = thin(x, y, [])
        drawn.add_scatter(
            x=x[kept], y=np.where(y[kept] > 0, y[kept], np.nan), mode="lines", name=name.replace("_", " "),
            line={"color": HUES[number % len(HUES)], "width": 1.5, "dash": DASHES[number % len(DASHES)]},
            meta={"curve": 0, "split": "train", "value": name, "legend": True},
            hovertemplate=f"{name.replace('_', ' ')} %{{y:.3g}}<br>{axis} %{{x:.4~g}}<extra></extra>",
        )  # fmt: skip
    across = {"title": {"text": TITLES[axis], "standoff": 4}, "zeroline": False}
    up = {"type": "log", "title": {"text": "term"}, "automargin": False, "exponentformat": "power"}
    drawn.update_layout(
        height=190, margin={"l": 62, "r": 8, "t": 26, "b": 8}, uirevision=revision, showlegend=True,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        xaxis=across | ({"range": list(span)} if span else {}),
        yaxis=up | _decades(drawn),
    )  # fmt: skip
    return drawn


def _decades(drawn: go.Figure) -> dict[str, int]:
    """Ticks only at powers of ten if there are several: more would overlap in a low chart."""
    heights = [np.asarray(trace.y, float) for trace in drawn.data]
    known = np.concatenate([one[np.isfinite(one)] for one in heights]) if heights else np.empty(0)
    return {"dtick": 1} if len(known) and known.max() >= 30 * known.min() else {}

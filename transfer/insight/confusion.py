"""Which class is mistaken for which, and the pictures behind each cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from transfer.insight.answers import Answers

WRITTEN = 20
ALL_SHOWN = 30
SIDE = 520
# By whether the page is dark.
INKS = ("#1D2730", "#E4E9ED")
SCALES = ("count", "share")


def matrix(answers: Answers) -> np.ndarray:
    """How often each class (row) was called each class (column), shape (classes, classes), whole numbers >= 0.

    Reference:
        scikit-learn's confusion_matrix, with every class in label order.
    """
    from sklearn.metrics import confusion_matrix

    every = np.arange(len(answers.classes))
    return np.asarray(confusion_matrix(answers.labels, answers.predicted, labels=every))


def shares(counted: np.ndarray) -> np.ndarray:
    """Each row by its sum: of the pictures of a class, the share called so; 0 in a row without pictures."""
    return counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)


def behind(answers: Answers, truth: int, said: int) -> np.ndarray:
    """Indices of the pictures of class ``truth`` that were classified as ``said``, most confident first."""
    places = np.flatnonzero((answers.labels == truth) & (answers.predicted == said))
    return places[np.argsort(-answers.confidence[places], kind="stable")]


def shown(counted: np.ndarray, most: int = ALL_SHOWN) -> list[int]:
    """The classes that are drawn: all that occur or, of many, those with the most mistakes, in label order.

    A class without pictures that is never answered either, one that was left out, say, is not drawn.
    """
    occurs = np.flatnonzero(counted.sum(axis=0) + counted.sum(axis=1))
    if len(occurs) <= most:
        return list(map(int, occurs))
    wrong = counted - np.diag(np.diag(counted))
    mistakes = wrong.sum(axis=0) + wrong.sum(axis=1)
    return sorted(np.argsort(-mistakes, kind="stable")[:most].tolist())


def commonest(answers: Answers) -> str:
    """The most frequent mistake, in a sentence."""
    counted = matrix(answers)
    wrong = counted - np.diag(np.diag(counted))
    if not wrong.any():
        return "No mistakes."
    truth, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
    often, of = wrong[truth, said], counted[truth].sum()
    return f"Most often **{answers.classes[truth]}** is mistaken for **{answers.classes[said]}**: {often} of {of}."


def figure(answers: Answers, scale: str, revision: str, dark: bool = False) -> go.Figure:
    """The confusion matrix: true class down, answer across, mistakes in red, hits in blue.

    Every cell with pictures carries a square that can be clicked; its ``customdata`` is (truth, said).

    Args:
        answers: of a test set.
        scale: ``count`` or ``share`` of the row.
        revision: zoom survives while this stays the same.
        dark: whether the page is; the cells let its ground through, and the numbers are read on them.
    """
    counted = matrix(answers)
    kept = shown(counted)
    part = counted[np.ix_(kept, kept)]
    height = shares(counted)[np.ix_(kept, kept)]
    names = [answers.classes[one] for one in kept]
    hit = np.eye(len(kept), dtype=bool)
    drawn = go.Figure()
    # A mistake of 2 % matters and would be white on a linear scale: the root makes it visible.
    for cells, hue in ((hit, "68,119,170"), (~hit, "204,51,17")):
        drawn.add_heatmap(
            z=np.where(cells & (part > 0), np.sqrt(height), np.nan), zmin=0, zmax=1, xgap=1, ygap=1, hoverinfo="skip",
            colorscale=[[0, f"rgba({hue},0.06)"], [1, f"rgba({hue},0.85)"]], showscale=False,
        )  # fmt: skip
    truth, said = np.nonzero(part)
    drawn.add_scatter(
        x=said, y=truth, mode="markers",
        marker={"symbol": "square", "size": max(8.0, 0.8 * (SIDE - 90) / len(kept)), "color": "rgba(0,0,0,0)"},
        selected={"marker": {"color": "rgba(232,176,0,0.55)", "opacity": 1}},
        unselected={"marker": {"color": "rgba(0,0,0,0)", "opacity": 0}},
        customdata=np.stack([np.array(kept)[truth], np.array(kept)[said], part[truth, said],
                             np.round(100 * height[truth, said], 1)], axis=1).tolist(),
        hovertemplate=[f"{names[t]} classified as {names[s]}: %{{customdata[2]}} (%{{customdata[3]}} %)<extra></extra>"
                       for t, s in zip(truth, said, strict=True)],
    )  # fmt: skip
    # Last, or the mark of the chosen cell would hide its number.
    if len(kept) <= WRITTEN:
        _write(drawn, part, height if scale == "share" else None, INKS[dark])
    drawn.update_layout(**_layout(names, revision))
    return drawn


def _write(drawn: go.Figure, part: np.ndarray, share: np.ndarray | None, ink: str) -> None:
    """The cells' numbers."""
    truth, said = np.nonzero(part)
    font = {"textfont": {"color": ink}}
    drawn.add_scatter(
        x=said, y=truth, mode="text", textfont={"size": 12, "color": ink}, hoverinfo="skip",
        text=[f"{part[at]}" if share is None else f"{100 * share[at]:.0f}" for at in zip(truth, said, strict=True)],
        # Else a selection fades the numbers of all other cells.
        selected=font, unselected=font,
    )  # fmt: skip


def _layout(names: list[str], revision: str) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "tickvals": list(range(len(names))), "ticktext": [_short(name) for name in names],
        "range": [-0.5, len(names) - 0.5], "zeroline": False, "showgrid": False,
    }  # fmt: skip
    across = axis | {
        "title": {"text": "the network's answer", "standoff": 4},
        "side": "bottom",
        "autotickangles": [0, -40],
    }
    down = axis | {"title": {"text": "true class"}, "range": [len(names) - 0.5, -0.5]}
    return {
        "height": SIDE, "margin": {"l": 8, "r": 8, "t": 8, "b": 8}, "uirevision": revision, "showlegend": False,
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "hovermode": "closest",
        "clickmode": "event+select", "dragmode": False, "xaxis": across, "yaxis": down,
    }  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"


def cell(selection: Mapping[str, Any]) -> tuple[int, int] | None:
    """True class and answer of the cell that was clicked, or None."""
    points = selection.get("points") or []
    if not points or not points[0].get("customdata"):
        return None
    truth, said, *_ = points[0]["customdata"]
    return int(truth), int(said)

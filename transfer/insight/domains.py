"""Two domains as a run sees them: in one plane, how far apart, and what the choice of the epoch is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.insight.curves import HUES, SYMBOLS
from transfer.insight.points import split_of
from transfer.insight.words import percent

COLOURS = ("domain", "class")
# After Paul Tol's "muted", for ten classes; its ends moved inwards, for each has to show on white and on dark.
CLASSES = (
    "#6A5ACD", "#5FB4E5", "#35A594", "#2A8C3F", "#8F8F2A",
    "#CDB23E", "#D9667A", "#A8325E", "#B050A8", "#6B727A",
)  # fmt: skip
PICKERS = {
    "start": "no adaptation: the source network",
    "last": "the last epoch",
    "entropy": "most confident answers (entropy)",
    "information": "confident and diverse answers (information)",
    "density": "densest neighbourhoods",
    "source": "best source validation accuracy",
    "labels": "target labels (cheating)",
}


@dataclass(frozen=True)
class Plane:
    """Source and target after one epoch; places (x, y), shape (n, 2), and class indices, shape (n,)."""

    epoch: float
    source: np.ndarray
    source_labels: np.ndarray
    target: np.ndarray
    target_labels: np.ndarray

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Plane:
        """From the event's fields."""
        return cls(
            float(body["epoch"]),
            np.asarray(body["source"], float).reshape(-1, 2),
            np.asarray(body["source_labels"], int),
            np.asarray(body["target"], float).reshape(-1, 2),
            np.asarray(body["target_labels"], int),
        )


def embedding(
    plane: Plane, reach: tuple[float, float], names: Sequence[str], colour: Literal["domain", "class"], revision: str
) -> go.Figure:
    """Both domains in the plane fixed at the run's first look: source as circles, target as crosses.

    It shows whether the target's clusters move onto the source's. It can mislead, because it shows only two of many
    directions, those along which the pictures differed most at the start: points that look apart are apart,
    points that look close need not be.

    Args:
        plane: after one epoch.
        reach: the axes go from minus to plus this, across and up; the same for all epochs.
        names: of the classes.
        colour: by domain or by class.
        revision: the zoom is kept as long as this stays the same.
    """
    drawn = go.Figure()
    parts = (("source", plane.source, plane.source_labels), ("target", plane.target, plane.target_labels))
    for place, (domain, points, labels) in enumerate(parts):
        hues = [CLASSES[one % len(CLASSES)] for one in labels] if colour == "class" else HUES[place]
        drawn.add_scatter(
            x=points[:, 0], y=points[:, 1], mode="markers", name=domain, meta={"plane": place},
            marker={"color": hues, "symbol": (SYMBOLS[0], "x")[place], "size": (6, 5)[place], "opacity": 0.7},
            text=[names[one] for one in labels], hovertemplate=f"{domain}, class %{{text}}<extra></extra>",
        )  # fmt: skip
    across, up = ({"range": [-one, one], "showticklabels": False, "zeroline": False} for one in reach)
    drawn.update_layout(
        height=330, margin={"l": 8, "r": 8, "t": 26, "b": 8}, uirevision=revision, showlegend=True,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", hovermode="closest",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        xaxis=across, yaxis=up,
    )  # fmt: skip
    return drawn


def said(plane: Plane) -> str:
    """What is drawn, in words."""
    return f"{len(plane.source)} source and {len(plane.target)} target pictures after epoch {plane.epoch:g}"


def reach(planes: Sequence[Plane]) -> tuple[float, float]:
    """The largest distance of any point from the middle in any epoch, across and up, with a margin."""
    most = [np.abs(one).max(axis=0) for plane in planes for one in (plane.source, plane.target) if one.size]
    across, up = np.max(most, axis=0) if most else (1.0, 1.0)
    return 1.05 * float(across), 1.05 * float(up)


def distance(history: pd.DataFrame, revision: str) -> go.Figure:
    """Proxy A-distance of the features over the epochs, 0 (no linear classifier separates them) to 2 (one does)."""
    points = split_of(history, "validation").dropna(subset=["a_distance"])
    drawn = go.Figure()
    drawn.add_scatter(
        x=points["epoch"], y=points["a_distance"], mode="lines+markers", line={"color": HUES[0], "width": 2},
        meta={"curve": 0, "split": "validation"},
        hovertemplate="A-distance %{y:.2f}<br>epoch %{x:.0f}<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(
        height=170, margin={"l": 62, "r": 8, "t": 8, "b": 8}, uirevision=revision, showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": {"text": "epochs on the target", "standoff": 4}, "zeroline": False},
        yaxis={"range": [-0.05, 2.05], "title": {"text": "A-distance"}, "automargin": False},
    )  # fmt: skip
    return drawn


def closed(accuracy: float, floor: float, ceiling: float) -> float | None:
    """How much of the gap between floor and ceiling is closed: 1 at the ceiling, below 0 if adapting did harm.

    None if there is no gap, because the ceiling is not above the floor.
    """
    return (accuracy - floor) / (ceiling - floor) if ceiling > floor else None


def picks(metrics: Mapping[str, Any], ceiling: float | None = None, others: bool = True) -> pd.DataFrame:
    """Test accuracy of the epoch that each criterion would pick, one row each; target labels come last.

    Args:
        metrics: of a finished run that adapts.
        ceiling: test accuracy of the target oracle, 0 to 1, if it is known.
        others: include criteria that the run did not use; without them no row depends on target labels.
    """
    found = metrics["picks"]
    floor = found["start"]["test_accuracy"]
    rows = []
    for name, words in PICKERS.items():
        if name in found and (others or name in ("start", "last")):
            accuracy = found[name]["test_accuracy"]
            share = closed(accuracy, floor, ceiling) if ceiling is not None else None
            rows.append(
                {
                    "Epoch picked by": words,
                    "Epoch": int(found[name]["epoch"]),
                    "Test accuracy": percent(accuracy, 1),
                    "Gap closed": "" if share is None or name == "start" else percent(share),
                }
            )
    return pd.DataFrame(rows)


def verdict(metrics: Mapping[str, Any], others: bool = True) -> str:
    """What adapting gained and, with ``others``, what choosing by target labels would add; a sentence or two."""
    found = metrics["picks"]
    gain = found["last"]["test_accuracy"] - found["start"]["test_accuracy"]
    cheat = found["labels"]["test_accuracy"] - found["last"]["test_accuracy"] if others else 0.0
    said = (
        f"Adapting took test accuracy from {percent(found['start']['test_accuracy'], 1)} "
        f"to {percent(found['last']['test_accuracy'], 1)}"
    )
    said += "." if gain > 0 else ": negative transfer."
    if cheat > 0.005:
        said += f" Choosing the epoch by target labels would look {100 * cheat:.1f} points better, but it is cheating."
    return said

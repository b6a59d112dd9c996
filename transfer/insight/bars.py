"""What a network says of one picture, as bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from transfer.insight.curves import GREY, HUES

SHOWN = 10


def ranked(probabilities: np.ndarray, most: int = SHOWN) -> list[int]:
    """The classes that are drawn: all in label order or, of many, the likeliest first."""
    if len(probabilities) <= most:
        return list(range(len(probabilities)))
    return np.argsort(-probabilities, kind="stable")[:most].tolist()


def figure(probabilities: np.ndarray, classes: Sequence[str], revision: str) -> go.Figure:
    """The probability of each class, the likeliest coloured.

    It tells what the network weighs against what. It misleads on a picture of none of the classes: the
    probabilities still add up to 1, and one may be near it.

    Args:
        probabilities: shape (classes,), 1 in sum.
        classes: their names.
        revision: zoom survives while this stays the same.
    """
    kept = ranked(probabilities)
    best = int(probabilities.argmax())
    drawn = go.Figure()
    drawn.add_bar(
        x=[float(probabilities[one]) for one in kept], y=[classes[one] for one in kept], orientation="h",
        marker={"color": [HUES[0] if one == best else GREY for one in kept]},
        text=[f"{probabilities[one]:.0%}" if probabilities[one] >= 0.005 else "" for one in kept],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(
        height=60 + 22 * len(kept), margin={"l": 8, "r": 40, "t": 4, "b": 8}, uirevision=revision, showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", bargap=0.25,
        xaxis={"range": [0, 1], "tickformat": ".0%", "dtick": 0.5, "zeroline": False, "fixedrange": True},
        yaxis={"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
    )  # fmt: skip
    return drawn

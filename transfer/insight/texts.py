"""What the texts of a data set are like, in sentences and charts: lengths and words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from transfer.insight.curves import HUES

BINS = 40


def about_lengths(lengths: Sequence[int], vocabulary: int) -> str:
    """How long the texts are, and how many different words they have.

    Args:
        lengths: of texts, in words.
        vocabulary: different words of two letters or more in the training part.
    """
    short, middle, long = np.percentile(lengths, [5, 50, 95]).round().astype(int)
    return (
        f"Half of the texts have {middle:,} words or fewer; nine of ten have {short:,} to {long:,}. "
        f"{vocabulary:,} different words in the training split."
    )


def lengths(found: Sequence[int], revision: str) -> go.Figure:
    """How many texts have which length; the few that are far longer than the others share the last bar."""
    most = max(1, int(np.percentile(found, 99)))
    drawn = go.Figure()
    drawn.add_histogram(
        x=np.minimum(found, most), xbins={"start": 0, "end": most + 1, "size": max(1, -(-most // BINS))},
        marker={"color": HUES[0]}, hovertemplate="%{x} words: %{y:,} texts<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(
        height=220, margin={"l": 8, "r": 8, "t": 8, "b": 8}, uirevision=revision, showlegend=False, bargap=0.05,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": {"text": "words", "standoff": 4}}, yaxis={"title": {"text": "texts"}, "automargin": True},
    )  # fmt: skip
    return drawn

"""What training moved: how far the weights of each stage went, and how much its outputs changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from transfer.errors import RequestError
from transfer.insight.curves import HUES
from transfer.insight.sentences import about_moved

# Frozen stages differ by rounding; drawn to fill the chart, that would look like a change.
LEAST_HEIGHT = 0.05


def relative_distance(start: Sequence[np.ndarray], end: Sequence[np.ndarray]) -> float:
    """How far weights are from where they began, over their size then; 0 when nothing has moved.

    It tells which stage has learned. It misleads across stages: a small step of a lower stage can
    change the answers more than a large one above; and scale that a batch norm takes away counts too.

    Args:
        start: weights of a stage, in any shapes.
        end: the same weights later, in the same order.

    Returns:
        L2 norm of the difference over the L2 norm of the start, >= 0; 0 for a stage without weights.
    """
    apart = sum(float(np.sum(np.square(b.astype("float64") - a))) for a, b in zip(start, end, strict=True))
    size = sum(float(np.sum(np.square(a.astype("float64")))) for a in start)
    return float(np.sqrt(apart / size)) if size else 0.0


def linear_cka(one: np.ndarray, other: np.ndarray) -> float:
    """How alike two layers see the same pictures: 1 when one is the other turned or scaled, 0 when unrelated.

    It tells whether what a stage computes was kept, though weights moved. It misleads on few
    pictures, where everything looks alike (with n no larger than the width it is biased upwards),
    and when a few directions of great variance outshout the rest.

    Args:
        one: answers of a layer, shape (n, ...), n >= 2; further axes are made one.
        other: of another layer for the same pictures, shape (n, ...).

    Returns:
        0 to 1; 1 also for two layers that answer every picture the same, 0 when only one does.

    Raises:
        RequestError: the numbers of pictures differ.

    Reference:
        Kornblith et al. 2019, Similarity of neural network representations revisited, eq. 3 and
        section 3 (linear CKA), by Gram matrices.
    """
    if len(one) != len(other):
        raise RequestError("Both layers have to answer the same pictures.", f"{len(one)} and {len(other)}")
    first, second = _gram(one), _gram(other)
    sizes = float(np.linalg.norm(first) * np.linalg.norm(second))
    if sizes == 0.0:
        return float(np.linalg.norm(first) == np.linalg.norm(second))
    return float(np.clip(np.sum(first * second) / sizes, 0.0, 1.0))


def _gram(answers: np.ndarray) -> np.ndarray:
    """Inner products of the pictures' answers, each direction centred, shape (n, n)."""
    flat = answers.reshape(len(answers), -1).astype("float64")
    centred = flat - flat.mean(axis=0)
    # A layer that answers everything alike leaves rounding of the mean, which would be taken for an answer.
    centred[:, np.abs(centred).max(axis=0) <= 1e-12 * np.maximum(1.0, np.abs(flat).max(axis=0))] = 0.0
    return np.asarray(centred @ centred.T)


def figure(distances: Mapping[str, float], alike: Mapping[str, float], revision: str) -> go.Figure:
    """For each stage, bottom to top: how far its weights went, and how much its answers have changed.

    Args:
        distances: `relative_distance` by stage.
        alike: `linear_cka` by stage.
        revision: zoom survives while this stays the same.
    """
    stages = list(alike)
    highest = max([LEAST_HEIGHT, *distances.values(), *(1 - one for one in alike.values())])
    drawn = go.Figure()
    drawn.add_bar(
        x=stages, y=[distances.get(one, 0.0) for one in stages], name="weights moved (relative L2)",
        marker={"color": HUES[0]}, offsetgroup="0", hovertemplate="%{x}: weights moved %{y:.2%}<extra></extra>",
    )  # fmt: skip
    drawn.add_bar(
        x=stages, y=[1 - alike[one] for one in stages], name="outputs changed (1 - CKA)",
        marker={"color": HUES[1]}, offsetgroup="1",
        customdata=[alike[one] for one in stages], hovertemplate="%{x}: CKA %{customdata:.3f}<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(
        height=300, margin={"l": 62, "r": 8, "t": 26, "b": 8}, uirevision=revision, barmode="group",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        xaxis={"title": {"text": "stage, bottom to top", "standoff": 4}},
        yaxis={"range": [0, 1.05 * highest], "tickformat": ".0%", "zeroline": False, "automargin": False},
    )  # fmt: skip
    return drawn


def verdict(distances: Mapping[str, float], alike: Mapping[str, float]) -> str:
    """What moved, in a sentence."""
    if not any(distances.values()):
        return "No weight below the head has moved, so the stages' outputs are the same."
    changed = min(alike, key=lambda stage: alike[stage])
    return f"{about_moved(distances)} The outputs of {changed} changed most (CKA {alike[changed]:.2f})."

"""The test set as the network sees it: its features in a plane, before and after training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from transfer.errors import RequestError
from transfer.insight.answers import Answers
from transfer.insight.domains import CLASSES

METHODS = {"pca": "PCA", "tsne": "t-SNE"}
COLOURS = ("class", "answer", "error")
NEIGHBOURS = 30
Method = Literal["pca", "tsne"]


def plane(features: np.ndarray, method: str, seed: int = 0) -> np.ndarray:
    """The features in two dimensions.

    PCA keeps the two directions of most variance: distances are true along them, and what lies
    apart is apart, but much is hidden. t-SNE keeps neighbours together: groups show, but their
    sizes, distances and places mean nothing, and it finds groups in noise, too.

    Args:
        features: shape (n, d), n >= 3.
        method: ``pca`` or ``tsne``.
        seed: of t-SNE, which begins at random where PCA does not say.

    Returns:
        Places, shape (n, 2), each axis centred.

    Raises:
        RequestError: too few samples, or no such method.

    Reference:
        van der Maaten & Hinton 2008 for t-SNE; scikit-learn's PCA and TSNE (perplexity 30 or, of
        few samples, a third of them), t-SNE on the first 50 principal components.
    """
    if method not in METHODS:
        raise RequestError("There is no such method to draw features in a plane.", repr(method), "Use pca or tsne.")
    if len(features) < 3:
        raise RequestError("There are too few pictures to draw in a plane.", len(features), "Test on more pictures.")
    from sklearn.decomposition import PCA

    flat = features.reshape(len(features), -1).astype("float64")
    width = 2 if method == "pca" else 50
    found = PCA(min(width, *flat.shape), random_state=0).fit_transform(flat)
    if method == "tsne":
        found = _tsne(found, seed)
    if found.shape[1] < 2:
        found = np.pad(found, ((0, 0), (0, 1)))
    return np.asarray(found - found.mean(axis=0))


def _tsne(features: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    near = min(NEIGHBOURS, (len(features) - 1) / 3)
    begin = "pca" if features.shape[1] >= 2 else "random"
    # Its threads spin while they wait: on a busy machine 600 pictures took 43 s with two and 3 s with one.
    with threadpool_limits(1):
        return np.asarray(TSNE(2, perplexity=near, init=begin, random_state=seed).fit_transform(features))


def turned_like(places: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The places turned and mirrored, as a whole, to lie as near to the others as they can.

    Which way round a plane comes out is chance; distances within it stay as they are.

    Args:
        places: shape (n, 2), centred.
        others: of the same pictures, shape (n, 2), centred.

    Reference:
        Schoenemann 1966, the orthogonal Procrustes problem; scipy.linalg.orthogonal_procrustes.
    """
    from scipy.linalg import orthogonal_procrustes

    turn, _ = orthogonal_procrustes(places, others)
    return np.asarray(places @ turn)


def figure(places: np.ndarray, answers: Answers, chosen: np.ndarray, colour: str, revision: str) -> go.Figure:
    """Pictures of the test set in the plane, coloured; each can be clicked, its ``customdata`` is its place.

    Args:
        places: shape (n, 2).
        answers: of the whole test set.
        chosen: which of its pictures the places are, shape (n,).
        colour: by true ``class``, by the network's ``answer`` or by ``error``.
        revision: zoom survives while this stays the same.
    """
    drawn = go.Figure()
    groups = answers.labels[chosen] if colour == "class" else answers.predicted[chosen]
    right = answers.right[chosen]
    names: Sequence[str] = answers.classes
    if colour == "error":
        groups, names = (~right).astype(int), ("right", "wrong")
    hues = ("#9AA5B1", "#CC3311") if colour == "error" else CLASSES
    said = [
        f"{answers.classes[answers.labels[at]]}, classified as {answers.classes[answers.predicted[at]]}"
        for at in chosen
    ]
    for group in np.unique(groups):
        mine = np.flatnonzero(groups == group)
        drawn.add_scatter(
            x=places[mine, 0], y=places[mine, 1], mode="markers", name=names[group],
            marker={
                "color": hues[group % len(hues)], "size": np.where(right[mine], 5, 8).tolist(), "opacity": 0.8,
                "symbol": np.where(right[mine], "circle", "x").tolist(),
            },
            customdata=chosen[mine].tolist(), text=[said[at] for at in mine], hovertemplate="%{text}<extra></extra>",
            showlegend=len(names) <= 12,
        )  # fmt: skip
    axis: dict[str, Any] = {"showticklabels": False, "zeroline": False, "showgrid": False}
    drawn.update_layout(
        height=380, margin={"l": 8, "r": 8, "t": 8, "b": 8}, uirevision=revision, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", clickmode="event+select",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.02, "yanchor": "top", "font": {"size": 12}},
        xaxis=axis, yaxis=axis,
    )  # fmt: skip
    return drawn


def neighbours_agree(features: np.ndarray, labels: np.ndarray, near: int = 5) -> float:
    """Share of the pictures whose class is also that of most of their nearest in feature space.

    It says in one figure whether classes lie together, in all dimensions and not in the two that
    are drawn. Misleads when a class is larger than all others: chance is its share.

    Args:
        features: shape (n, d), n > ``near``.
        labels: class indices, shape (n,).
        near: neighbours that vote, the picture itself left out.

    Returns:
        0 to 1.

    Reference:
        scikit-learn's KNeighborsClassifier, each picture left out in its turn.
    """
    from sklearn.neighbors import NearestNeighbors

    flat = features.reshape(len(features), -1)
    found = NearestNeighbors(n_neighbors=near).fit(flat).kneighbors(return_distance=False)
    votes = np.apply_along_axis(np.bincount, 1, labels[found], minlength=int(labels.max()) + 1)
    return float((votes.argmax(axis=1) == labels).mean())

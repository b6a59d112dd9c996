"""What a data set's figures mean, in sentences and charts: balance, sizes, duplicates, distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from transfer.insight.curves import HUES
from transfer.insight.words import counted, percent

UNEVEN = 3.0
FEW = 10
SHARED_X = 40


def about_balance(
    counts: Mapping[str, Sequence[int]], classes: Sequence[str], noun: str = "picture"
) -> tuple[str, bool]:
    """How balanced the classes are, and whether that matters.

    Args:
        counts: samples of each class in label order, by part.
        classes: their names.
        noun: what a sample is called.
    """
    train, everything = counts["train"], sum(counts["validation"])
    most, least = int(np.argmax(train)), int(np.argmin(train))
    ratio = train[most] / max(1, train[least])
    if ratio >= UNEVEN:
        always = percent(max(counts["validation"]) / max(1, everything))
        return (
            f"{classes[most]} has {ratio:.1f} times as many {noun}s as {classes[least]} ({train[most]:,} and "
            f"{train[least]:,} for training). Always guessing the most common class is right on {always} of "
            "validation: look at the accuracy of each class, or turn on class weights.",
            True,
        )
    rarest = int(np.argmin(counts["validation"]))
    if (few := counts["validation"][rarest]) < FEW:
        moves = (
            f"One {noun} moves its accuracy by {100 / few:.0f} points." if few else "Its accuracy cannot be validated."
        )
        return (
            f"The classes are balanced, but small: {counted(few, f'validation {noun}')} of {classes[rarest]}. {moves}",
            True,
        )
    if ratio == 1:
        return f"Every class has {train[most]:,} training {noun}s.", False
    return f"The classes are balanced: {train[least]:,} to {train[most]:,} training {noun}s each.", False


def balance(
    counts: Mapping[str, Sequence[int]], classes: Sequence[str], revision: str, nouns: str = "pictures"
) -> go.Figure:
    """Samples in each class, stacked by part."""
    drawn = go.Figure()
    for place, (part, values) in enumerate(counts.items()):
        drawn.add_bar(
            x=list(classes), y=list(values), name=part, marker={"color": HUES[place % len(HUES)]},
            hovertemplate=f"%{{x}}: %{{y:,}} for {part}<extra></extra>",
        )  # fmt: skip
    drawn.update_layout(
        barmode="stack", height=240, margin={"l": 8, "r": 8, "t": 26, "b": 8}, uirevision=revision,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", bargap=0.25,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        xaxis={"type": "category", "showticklabels": len(classes) <= SHARED_X, "automargin": True},
        yaxis={"title": {"text": nouns}, "automargin": True},
    )  # fmt: skip
    return drawn


def about_sizes(sizes: Sequence[Sequence[int]], shape: Sequence[int]) -> str:
    """How large the pictures in the files are, and how they are resized."""
    kept = f"kept at {shape[0]}×{shape[1]} pixels, {'grey' if shape[2] == 1 else 'colour'}"
    if not sizes:
        return f"All pictures are {shape[1]}×{shape[0]} pixels, {'grey' if shape[2] == 1 else 'colour'}."
    width, height = np.asarray(sizes).T
    if len({(w, h) for w, h in sizes}) == 1:
        said = f"All files are {width[0]}×{height[0]} pixels"
    else:
        said = f"Files are {width.min()}×{height.min()} to {width.max()}×{height.max()} pixels"
    long = np.maximum(width, height) / np.minimum(width, height)
    cut = (
        f"; {percent(float((long >= 2).mean()))} are at least twice as long as wide and lose half or more"
        if (long >= 2).any()
        else ""
    )
    small = float((np.minimum(width, height) < shape[0]).mean())
    blown = f"; {percent(small)} are smaller and enlarged" if small else ""
    return f"{said}; {kept}, cropped to the middle square{cut}{blown}."


def sizes_figure(sizes: Sequence[Sequence[int]], revision: str) -> go.Figure:
    """Width and height of the files, one point per file."""
    width, height = np.asarray(sizes).T
    drawn = go.Figure()
    drawn.add_scatter(
        x=width, y=height, mode="markers", marker={"color": HUES[0], "size": 5, "opacity": 0.4},
        hovertemplate="%{x} × %{y} pixels<extra></extra>",
    )  # fmt: skip
    drawn.update_layout(
        height=220, margin={"l": 8, "r": 8, "t": 8, "b": 8}, uirevision=revision, showlegend=False,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis={"title": {"text": "width (pixels)", "standoff": 4}, "range": [0, 1.08 * float(width.max())]},
        yaxis={"title": {"text": "height (pixels)"}, "range": [0, 1.08 * float(height.max())], "automargin": True},
    )  # fmt: skip
    return drawn


def about_pairs(counts: Mapping[str, int], nouns: str = "pictures") -> tuple[str, bool]:
    """Which samples are duplicates, and whether that matters."""
    if not counts["same"] and not counts["near"]:
        return "No duplicates.", False
    said = f"{counted(counts['same'], 'pair')} of identical {nouns}, {counts['near']:,} of nearly identical ones."
    if counts["across"]:
        said += (
            f" {counted(counts['across'], 'pair is', 'pairs are')} split between parts: validation or test then "
            f"contains training {nouns}, and the score looks better than it is."
        )
    if counts["clash"]:
        said += f" {counted(counts['clash'], 'pair has', 'pairs have')} different labels: one label is wrong."
    return said, bool(counts["across"] or counts["clash"])


def about_distance(found: Mapping[str, Any], backbone: str) -> str:
    """How far apart two data sets are, in a sentence."""
    far, usual = found["a_distance"], max(found["a_distance_chance"], 0.2)
    if far <= usual:
        said = "No linear classifier tells them apart better than chance: to this network they are one domain"
    elif far < 1:
        said = "A linear classifier sometimes tells them apart: a small gap"
    elif far < 1.8:
        said = "A linear classifier tells most of them apart: a clear gap"
    else:
        said = "A linear classifier tells nearly all of them apart: a large gap"
    learned = f", in features of {backbone} pretrained on {found['weights']}" if found["weights"] else (
        f", in features of {backbone} with random weights, which capture little more than brightness and texture"
    )  # fmt: skip
    return f"{said}{learned}."

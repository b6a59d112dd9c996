"""Learning curves: from what runs said to figures of loss and accuracy. Knows no page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.insight.points import BEST_RULE, Axis, best, blind, split_of, thin
from transfer.insight.words import percent

# Paul Tol's "bright": told apart with any colour vision, on white and on near-black.
HUES = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#B8A430", "#33A6C4")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#8A8F98"
TITLES = {"epoch": "epochs on the target", "step": "steps on the target", "seconds": "seconds since the run began"}
HEIGHTS = {"accuracy": 265, "loss": 215}
MANY_MARKERS = 40
WORDS_HIGH = 0.08  # of the axis of the accuracy
ROOM_BELOW = 0.08
Value = Literal["loss", "accuracy"]


@dataclass(frozen=True)
class Phase:
    """A stretch of training as a run announced it; ``epoch`` is where it begins, negative before the target."""

    index: int
    name: str
    domain: Literal["source", "teacher", "target"]
    epoch: float
    epochs: int


@dataclass(frozen=True)
class Curve:
    """One run to be drawn.

    Args:
        name: in the legend.
        history: a row a point, as `Lab.history` gives it; may be empty.
        phases: as they began, in order.
    """

    name: str
    history: pd.DataFrame
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True)
class Frame:
    """What surrounds the curves.

    Args:
        classes: number of the target's classes; gives the chance lines.
        axis: what lies along x.
        log: whether y is logarithmic; of the loss only.
        majority: share of the commonest class, None when not known.
        span: first and last x expected, in epochs, so that a live curve shows how far it is.
        source: whether the points on the source are drawn.
        revision: zoom survives while this stays the same.
        marks: further heights with their names, of the accuracy only: floor and ceiling.
    """

    classes: int
    axis: Axis = "epoch"
    log: bool = False
    majority: float | None = None
    span: tuple[float, float] | None = None
    source: bool = True
    revision: str = "curves"
    marks: tuple[tuple[float, str], ...] = ()


def chance(value: Value, classes: int) -> float:
    """What a blind guess scores: accuracy 1 / classes, or loss ln(classes)."""
    return 1 / classes if value == "accuracy" else math.log(classes)


def figure(value: Value, curves: Sequence[Curve], frame: Frame) -> go.Figure:
    """Loss or accuracy of one or several runs over one x axis, phases of the first run marked.

    Each run has a hue, a marker and a dash of its own: train thin and faint, validation solid
    with markers, a star at the best epoch. It is drawn, with the chance line, before any point.

    Args:
        value: which of the two.
        curves: the runs, the main one first.
        frame: axis, scale and reference lines.
    """
    drawn = go.Figure()
    # Each split draws one run above the next: validation lies over every train line.
    for split in ("train", "validation"):
        for number, curve in enumerate(curves):
            _add_split(drawn, value, curve, frame, split, number, alone=len(curves) == 1)
    for number, curve in enumerate(curves):
        _add_best(drawn, value, curve, frame, number)
        _add_not_a_number(drawn, value, curve, frame, number)
    if curves:
        _add_phases(drawn, curves[0], frame)
    _add_references(drawn, value, curves, frame)
    _lay_out(drawn, value, curves, frame)
    return drawn


def _series(history: pd.DataFrame, value: Value, split: str, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    points = split_of(history, split, None if frame.source else "target")
    if points.empty or value not in points:
        return np.empty(0), np.empty(0)
    return points[frame.axis].to_numpy(float), points[value].to_numpy(float)


def _add_split(
    drawn: go.Figure, value: Value, curve: Curve, frame: Frame, split: str, number: int, alone: bool
) -> None:
    x, y = _series(curve.history, value, split, frame)
    hue, train = HUES[number % len(HUES)], split == "train"
    x, y = _broken_between_domains(curve, frame, split, x, y)
    chosen = best(curve.history)
    keep = [] if chosen is None else np.flatnonzero(x == chosen[frame.axis]).tolist()
    kept = thin(x, y, keep)
    label = "train" if train else "validation"
    drawn.add_scatter(
        x=x[kept], y=y[kept],
        name=label if alone else curve.name, legendgroup=split if alone else str(number),
        showlegend=bool(len(x)) and (alone or not train),
        mode="lines" if train else "lines+markers",
        opacity=0.55 if train else 1.0,
        line={"color": hue, "width": 1 if train else 2.2, "dash": DASHES[0 if train else number % len(DASHES)]},
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 4 if len(kept) > MANY_MARKERS else 6, "color": hue},
        meta={"curve": number, "split": split, "domain": _last_domain(curve, frame, split),
              "legend": alone or not train},
        hovertemplate=f"{'' if alone else curve.name + '<br>'}{split} {value} "
        f"%{{y:{'.1%' if value == 'accuracy' else '.3f'}}}<br>{frame.axis} %{{x:.4~g}}<extra></extra>",
    )  # fmt: skip


def _last_domain(curve: Curve, frame: Frame, split: str) -> str | None:
    """Of the last point that is drawn, so that who appends one knows whether the line is to be broken."""
    drawn = split_of(curve.history, split, None if frame.source else "target")
    return None if drawn.empty else str(drawn["domain"].iloc[-1])


def _broken_between_domains(
    curve: Curve, frame: Frame, split: str, x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """With a gap where the target begins: what was measured on two data sets is not one line."""
    if not frame.source or not len(x):
        return x, y
    domains = split_of(curve.history, split, None)["domain"].to_numpy()
    changes = np.flatnonzero(domains[1:] != domains[:-1]) + 1
    return np.insert(x, changes, x[changes]), np.insert(y, changes, np.nan)


def _add_best(drawn: go.Figure, value: Value, curve: Curve, frame: Frame, number: int) -> None:
    """A star at the best epoch; before there is one an empty curve, to which who appends points adds it."""
    chosen = best(curve.history)
    hue = HUES[number % len(HUES)]
    named, rule = "best epoch", BEST_RULE
    if blind(curve.history):
        named, rule = "epoch taken", "the last: there are no target labels to choose by"
    drawn.add_scatter(
        x=[] if chosen is None else [chosen[frame.axis]], y=[] if chosen is None else [chosen[value]],
        mode="markers", name=named, legendgroup="best", showlegend=number == 0 and chosen is not None,
        meta={"best": number},
        marker={"symbol": "star", "size": 13, "color": "#E8B000", "line": {"color": hue, "width": 1.5}},
        hovertemplate=f"{named}, {frame.axis} %{{x:.4~g}}<br>{rule}<extra>{curve.name}</extra>",
    )  # fmt: skip


def _add_not_a_number(drawn: go.Figure, value: Value, curve: Curve, frame: Frame, number: int) -> None:
    x, y = _series(curve.history, value, "train", frame)
    bad = np.flatnonzero(~np.isfinite(y))
    if value != "loss" or not len(bad):
        return
    before = y[: bad[0]]
    height = before[-1] if len(before) else chance(value, frame.classes)
    drawn.add_scatter(
        x=[x[bad[0]]], y=[height], mode="markers+text", text=["not a number"], textposition="top left",
        name="not a number", legendgroup=str(number), showlegend=False,
        marker={"symbol": "x", "size": 12, "color": "#CC3311"},
        hovertemplate="from here on the loss is no number<extra></extra>",
    )  # fmt: skip


def phase_bounds(curve: Curve, axis: Axis) -> list[tuple[Phase, float, float]]:
    """Each phase with where it begins and, from what was said so far, ends along the axis."""
    begins: list[float] = []
    for phase in curve.phases:
        of_phase = curve.history[(curve.history["phase"] == phase.index) & (curve.history["domain"] == phase.domain)]
        begins.append(phase.epoch if axis == "epoch" or of_phase.empty else float(of_phase[axis].min()))
    last = float(curve.history[axis].max()) if not curve.history.empty else 0.0
    if not begins:
        return []
    ends = [*begins[1:], max([last, *begins])]
    if axis == "epoch":
        ends[-1] = max(ends[-1], curve.phases[-1].epoch + curve.phases[-1].epochs)
    return list(zip(curve.phases, begins, ends, strict=True))


def _add_phases(drawn: go.Figure, curve: Curve, frame: Frame) -> None:
    for phase, start, end in phase_bounds(curve, frame.axis):
        before = phase.domain != "target"
        if before and not frame.source:
            continue
        if before:
            drawn.add_vrect(x0=start, x1=end, fillcolor=GREY, opacity=0.13, line_width=0, layer="below")
        else:
            drawn.add_vline(x=start, line={"color": GREY, "width": 1}, layer="below")
        # The source's name ends where the target begins, the target's begin there: they never overlap.
        drawn.add_annotation(
            x=end if before else start, xanchor="right" if before else "left", xshift=-2 if before else 2,
            y=1.0, yref="paper", yanchor="bottom", showarrow=False, font={"size": 12},
            text=phase.domain if before else phase.name,
            hovertext=f"{'learning the source' if phase.domain == 'source' else phase.name}, {phase.epochs} epochs",
        )  # fmt: skip


def baselines(classes: int | None, majority: float | None) -> list[tuple[float, str, str]]:
    """What an accuracy has to beat: height, words and dash of a blind guess and of always the commonest class.

    Args:
        classes: of the target; None where targets differ.
        majority: share of the commonest class, None when not known.
    """
    lines = [(1 / classes, f"chance {percent(1 / classes)}", "dash")] if classes else []
    if majority is None:
        return lines
    commonest = f"always guessing the most common class: {percent(majority)}"
    # Within two points the labels would lie on one another: one line says both.
    if lines and majority - lines[0][0] < 0.02:
        return [(lines[0][0], f"{lines[0][1]}, {commonest}", "dash")]
    return [*lines, (majority, commonest, "dot")]


def add_line(drawn: go.Figure, height: float, label: str, dash: str, log: bool = False, below: bool = False) -> None:
    """A line across with its words at the right end, above it, or below where a curve rises from it."""
    drawn.add_hline(y=height, line={"color": GREY, "width": 1.3, "dash": dash}, layer="below")
    drawn.add_annotation(
        x=1, xref="paper", xanchor="right", yanchor="top" if below else "bottom", showarrow=False, text=label,
        y=math.log10(height) if log else height, font={"size": 12, "color": GREY},
    )  # fmt: skip


def add_baselines(drawn: go.Figure, lines: Sequence[tuple[float, str, str]]) -> None:
    """The lines of `baselines`; their words below them, where there is room, for there is no curve."""
    for height, label, dash in lines:
        add_line(drawn, height, label, dash, below=height >= ROOM_BELOW)


def _add_references(drawn: go.Figure, value: Value, curves: Sequence[Curve], frame: Frame) -> None:
    if value == "loss":
        guess = chance(value, frame.classes)
        add_line(drawn, guess, f"chance {guess:.3g}", "dash", frame.log)
        return
    add_baselines(drawn, baselines(frame.classes, frame.majority))
    ends = [y[-1] for curve in curves if len(y := _series(curve.history, value, "validation", frame)[1])]
    for several in _near(frame.marks):
        height = several[0][0]
        # Away from where the curves end, which would cross the words.
        below = bool(ends) and height <= min(ends) and height >= ROOM_BELOW
        said = ", ".join(f"{name} {percent(at)}" for at, name in several)
        for place, (at, _) in enumerate(several):
            add_line(drawn, at, said if place == (len(several) - 1 if below else 0) else "", "dashdot", below=below)


def _near(marks: Sequence[tuple[float, str]]) -> list[list[tuple[float, str]]]:
    """The marks, highest first, with those together whose words would lie on one another."""
    groups: list[list[tuple[float, str]]] = []
    for mark in sorted(marks, reverse=True):
        if groups and groups[-1][-1][0] - mark[0] < WORDS_HIGH:
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _lay_out(drawn: go.Figure, value: Value, curves: Sequence[Curve], frame: Frame) -> None:
    empty = all(curve.history.empty for curve in curves)
    bare = empty and not any(curve.phases for curve in curves)
    across: dict[str, object] = {"title": {"text": TITLES[frame.axis], "standoff": 4}, "zeroline": False}
    if frame.axis == "epoch" and frame.span is not None:
        across["range"] = list(frame.span)
    elif empty:
        across["range"] = [0, 1]
        across["showticklabels"] = False
    up: dict[str, object] = {"title": {"text": value}, "zeroline": False, "automargin": False}
    if value == "accuracy":
        up |= {"range": [0, 1.03], "tickformat": ".0%", "dtick": 0.25}
    elif frame.log:
        up |= {"type": "log"} | ({"range": [-2, 1]} if empty else {})
    else:
        up |= {"rangemode": "tozero"} | ({"range": [0, 1.3 * chance(value, frame.classes)]} if empty else {})
    drawn.update_layout(
        height=HEIGHTS[value], margin={"l": 62, "r": 8, "t": 14 if bare else 40, "b": 8}, uirevision=frame.revision,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.0 if bare else 1.12, "yanchor": "bottom",
                "font": {"size": 12}},
        xaxis=across, yaxis=up,
    )  # fmt: skip

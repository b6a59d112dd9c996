"""Several runs over one another: what they were asked differently, and any of their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from transfer.experiment import Experiment, together
from transfer.insight.curves import DASHES, HUES, SYMBOLS, TITLES, add_baselines, baselines
from transfer.insight.points import Axis, split_of, thin
from transfer.insight.race import LIVE, Arm, in_words, pictures
from transfer.insight.race_chart import style
from transfer.insight.seeds import band

Split = Literal["train", "validation"]
PLACES = ("n", "split", "domain", "phase", "epoch", "step", "seconds")
NAMED = ("target", "backbone", "strategy")
MARKED = 40


@dataclass(frozen=True)
class View:
    """How curves are drawn.

    Args:
        value: name of the curve: loss, accuracy, learning_rate or whatever the runs said.
        split: of training batches or of validation.
        axis: what lies along x.
        log: whether y is logarithmic.
        smoothing: weight of what came before, 0 (none) to 0.99; of training curves only.
        mean: whether runs that differ only in seed are drawn as a mean with a band.
        classes: of the target that all runs share, for the line of a blind guess; None where targets differ.
        revision: zoom survives while this stays the same.
    """

    value: str = "accuracy"
    split: Split = "validation"
    axis: Axis = "epoch"
    log: bool = False
    smoothing: float = 0.0
    mean: bool = False
    classes: int | None = None
    revision: str = "compare"


def difference(experiments: Mapping[str, Experiment]) -> pd.DataFrame:
    """What the experiments do not have in common: a row a field, a column a run; empty when all are the same.

    A strategy's own options count one by one; what one was not asked at all is shown as such.

    Args:
        experiments: by the name of the run.
    """
    flat = {name: _flat(asked) for name, asked in experiments.items()}
    fields = list(dict.fromkeys(field for one in flat.values() for field in one))
    rows = {}
    for field in fields:
        given = {name: one.get(field, "as usual") for name, one in flat.items()}
        if len(set(given.values())) > 1:
            rows[field] = _titles(field, given)
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(flat))


def _flat(asked: Experiment) -> dict[str, str]:
    dump = asked.model_dump()
    options = dump.pop("options", {})
    dump |= {f"option {name}": value for name, value in options.items()}
    return {name.replace("_", " "): _text(value) for name, value in dump.items()}


def _titles(field: str, given: dict[str, str]) -> dict[str, str]:
    """Titles instead of keys, where they tell as many apart."""
    if field not in NAMED:
        return given
    titles = {name: in_words(field, key) for name, key in given.items()}
    return titles if len(set(titles.values())) == len(set(given.values())) else given


def _text(value: Any) -> str:
    if value is None:
        return "none given"
    return together(value) if isinstance(value, list | tuple) else str(value)


def values(histories: Sequence[pd.DataFrame], split: Split) -> list[str]:
    """Names of the curves that any of the runs has of a split, loss and accuracy first."""
    found: dict[str, None] = {}
    for history in histories:
        points = split_of(history, split, None)
        found |= {str(name): None for name in points.columns if name not in PLACES and points[name].notna().any()}
    return sorted(found, key=lambda name: (name not in ("accuracy", "loss"), name))


def smooth(y: np.ndarray, phases: np.ndarray, weight: float) -> np.ndarray:
    """An exponential moving average that begins anew with each phase; weight 0 leaves the curve as it is.

    It misleads about when something happened: a smoothed curve lags behind. Values that are not numbers stay so.

    Args:
        y: values in order, shape (n,).
        phases: which phase each belongs to, shape (n,).
        weight: of what came before, 0 to below 1.

    Reference:
        m = w m + (1 - w) y, divided by 1 - w^k after k values, so that the start is not drawn to zero.
    """
    if weight <= 0 or not len(y):
        return y
    smoothed = np.asarray(y, float).copy()
    for phase in np.unique(phases):
        held = (phases == phase) & np.isfinite(smoothed)
        weights = pd.Series(np.asarray(y, float)[held]).ewm(alpha=1 - weight, adjust=True).mean()
        smoothed[held] = weights.to_numpy()
    return smoothed


def _average(y: np.ndarray, phases: np.ndarray, weight: float) -> dict[str, Any]:
    """Where `smooth` stands at its end, for who goes on with it: the sum before it is divided, and of how many."""
    phase = int(phases[-1]) if len(phases) else 0
    held = y[(phases == phase) & np.isfinite(y)]
    total = 0.0
    for value in held:
        total = weight * total + (1 - weight) * float(value)
    return {"smooth": {"weight": weight, "phase": phase, "sum": total, "count": len(held)}}


def series(history: pd.DataFrame, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One run's curve on the target: x, y and the phase of each point; empty when it has none."""
    points = split_of(history, view.split)
    if points.empty or view.value not in points:
        return np.empty(0), np.empty(0), np.empty(0)
    points = points.dropna(subset=[view.value]) if view.split == "validation" else points
    return points[view.axis].to_numpy(float), points[view.value].to_numpy(float), points["phase"].to_numpy()


def figure(several: Sequence[Arm], histories: Mapping[str, pd.DataFrame], names: Mapping[str, str], view: View) -> Any:
    """The curve of each run, or of each group of seeds a mean with its band.

    What it tells you: where runs part. When it misleads: along seconds, a machine that did something else
    meanwhile; with smoothing, about when something happened.

    Args:
        several: the runs, by what they have in common.
        histories: a row a point, by run.
        names: in the legend, by run.
        view: how it is drawn.
    """
    drawn = go.Figure()
    share, number = view.value.endswith("accuracy"), 0
    for arm in several:
        found = {run.id: series(histories[run.id], view) for run in arm.runs if run.id in histories}
        going_on = [run.id for run in arm.runs if run.state in LIVE]
        together = [run for run in found if run not in going_on] if view.mean and len(arm.runs) > 1 else []
        if len(together) > 1:
            _add_mean(drawn, arm, [found[run][:2] for run in together if len(found[run][0])], number, share)
            number += 1
        for run in found if len(together) < 2 else going_on:
            _add_run(drawn, names[run], *found[run], view, number, run if run in going_on else "")
            number += 1
    if view.value == "accuracy" and not view.log:
        add_baselines(drawn, baselines(view.classes, None))
    up: dict[str, object] = {"title": {"text": f"{view.split} {view.value.replace('_', ' ')}"}, "zeroline": False}
    up |= {"type": "log"} if view.log else {}
    up |= {"tickformat": ".0%"} if share else {}
    drawn.update_layout(
        height=430, margin={"l": 62, "r": 8, "t": 10, "b": 8}, uirevision=view.revision, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "font": {"size": 12}},
        xaxis={"title": {"text": TITLES[view.axis], "standoff": 4}, "zeroline": False}, yaxis=up,
    )  # fmt: skip
    return drawn


def _add_run(
    drawn: go.Figure, name: str, x: np.ndarray, y: np.ndarray, phases: np.ndarray, view: View, number: int, live: str
) -> None:
    """One run; ``live`` is its id if there are points to come, which whoever appends them finds in its traces."""
    meta = {"run": live, "split": view.split} if live else {}
    hue, dash = HUES[number % len(HUES)], DASHES[number // len(HUES) % len(DASHES)]
    smoothed = view.smoothing > 0 and view.split == "train"
    kept = thin(x, y)
    marked = view.split == "validation" and len(kept) <= MARKED
    drawn.add_scatter(
        x=x[kept], y=y[kept], name=name, legendgroup=str(number), showlegend=not smoothed,
        opacity=0.3 if smoothed else 1.0, mode="lines+markers" if marked or len(kept) == 1 else "lines",
        line={"color": hue, "width": 1 if smoothed else 1.8, "dash": dash},
        marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 5}, meta=meta,
        hovertemplate=f"{name}<br>%{{y:.4~g}}<br>{view.axis} %{{x:.4~g}}<extra></extra>",
    )  # fmt: skip
    if smoothed:
        calm = smooth(y, phases, view.smoothing)
        kept = thin(x, calm)
        drawn.add_scatter(
            x=x[kept], y=calm[kept], name=name, legendgroup=str(number), mode="lines",
            line={"color": hue, "width": 2, "dash": dash}, meta=meta and meta | _average(y, phases, view.smoothing),
            hovertemplate=f"{name}, smoothed<br>%{{y:.4~g}}<extra></extra>",
        )  # fmt: skip


def _add_mean(
    drawn: go.Figure, arm: Arm, curves: list[tuple[np.ndarray, np.ndarray]], number: int, share: bool
) -> None:
    hue, dash = style(number, arm.scratch)
    red, green, blue = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    counted = pictures(arm.ended, "validation_pictures") if share else 0
    grid, mean, low, high = band(curves, 0.0, 1.0, counted) if share else band(curves)
    kept = thin(grid, mean)
    for edge, fill in ((high, None), (low, "tonexty")):
        drawn.add_scatter(
            x=grid[kept], y=edge[kept], mode="lines", line={"width": 0}, fill=fill, showlegend=False,
            fillcolor=f"rgba({red},{green},{blue},0.16)", legendgroup=str(number), hoverinfo="skip",
        )  # fmt: skip
    drawn.add_scatter(
        x=grid[kept], y=mean[kept], name=f"{arm.name} (mean of {len(curves)})", legendgroup=str(number), mode="lines",
        line={"color": hue, "width": 2.4, "dash": dash},
        hovertemplate=f"{arm.name}, mean<br>%{{y:.4~g}}<extra></extra>",
    )  # fmt: skip

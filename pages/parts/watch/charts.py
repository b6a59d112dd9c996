"""Accuracy and loss over a shared x axis, each with a sentence, and the display options."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from pages.live import drawing
from pages.live.status import structure
from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.lab import the_lab
from pages.parts.common.run_log import log_of
from pages.parts.common.titles import in_a_list, names
from pages.parts.watch import domains
from transfer import catalog
from transfer.experiment import Experiment
from transfer.insight import curves, sentences, terms
from transfer.lab import Run

AXES = {"epoch": "epochs", "step": "steps", "seconds": "seconds"}
MOST_OVERLAYS = 5
FEW_EPOCHS = 100
MISLEADS = {
    "accuracy": "Share of pictures classified correctly. Training and validation are measured differently: training "
    "accuracy batch by batch while weights change, with augmentation and dropout, if any. With few validation "
    "pictures it varies by whole points by chance.",
    "loss": "What training minimises: it is high when the correct class gets a low probability. It can rise together "
    "with accuracy if a few wrong answers are very confident. Losses of different strategies may not be comparable.",
}
TERMS_HELP = (
    "Shows whether a term has an effect: one that stays constant does not influence the network. Do not compare their "
    "heights, because each is multiplied by its own weight."
)
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


@dataclass(frozen=True)
class ChartContext:
    """The part of a chart that is known before training: the experiment's source, its length and the baselines."""

    experiment: Experiment | None
    epochs: int | None = None
    majority: float | None = None
    validation: int = 100


def charts(run: Run | None, around: ChartContext) -> None:
    """The two charts of the run and of the overlaid runs; before any run, just the axes and chance lines."""
    experiment = run.experiment if run else around.experiment
    dataset = catalog.datasets().get(experiment.target) if experiment else None
    classes = len(dataset.classes) - len(experiment.without) if dataset and experiment else 10
    shown, drawn = _curves(run)
    history = drawn[0].history if drawn else curves.Curve("", log_of("").history).history
    source = catalog.datasets().get((experiment.source if experiment else None) or "")

    def said(value: str) -> drawing.Words:
        title = source.title if source else ""
        about = (
            sentences.about_accuracy(history, classes, title, around.validation)
            if value == "accuracy"
            else sentences.about_loss(history, classes, title)
        )
        return drawing.Words(value.capitalize(), about, MISLEADS[value])

    frame = curves.Frame(
        classes=classes,
        axis=st.session_state.get("axis") or "epoch",
        log=bool(st.session_state.get("log_loss")),
        majority=around.majority,
        span=_span(experiment, around, history) if run is None or run.live else _reach(drawn),
        source=st.session_state.get("with_source", True),
        revision=run.id if run else "untrained",
        marks=domains.marks(run, log_of(run.id)) if run else (),
    )
    follow = drawing.Followed.of({one.id: log_of(one.id) for one in shown if one.live}, run.id if run else "")
    view = drawing.View(frame.axis, frame.source, [one.id for one in shown])
    drawn_for = [
        frame,
        around.validation,
        [(curve.name, structure(one, log_of(one.id))) for one, curve in zip(shown, drawn, strict=True)],
    ]
    for value in ("accuracy", "loss"):
        draw = partial(curves.figure, value, drawn, frame)
        drawing.chart(f"chart_{value}", draw, partial(said, value), value, view, follow, drawn_for)

    if terms.names(history):
        words = drawing.Words("Loss terms", "The other terms that are minimised, before weighting.", TERMS_HELP)
        draw = partial(terms.figure, history, frame.axis, frame.revision, _across(history, frame))
        drawing.chart("chart_parts", draw, lambda: words, "", view, follow, drawn_for)


def _reach(drawn: list[curves.Curve]) -> tuple[float, float] | None:
    """The range of epochs over all curves, with a margin, so that stacked charts share the same x range."""
    points = [one.history for one in drawn]
    if not st.session_state.get("with_source", True):
        points = [one[one["domain"] == "target"] for one in points]
    epochs = pd.concat([one["epoch"] for one in points]) if points else pd.Series(dtype=float)
    if epochs.empty or epochs.min() == epochs.max():
        return None
    room = 0.03 * float(epochs.max() - epochs.min())
    return (float(epochs.min()) - room, float(epochs.max()) + room)


def _across(history: pd.DataFrame, frame: curves.Frame) -> tuple[float, float] | None:
    """The x range of the charts above, for a chart that has no points on the source."""
    if frame.axis == "epoch" and frame.span is not None:
        return frame.span
    drawn = history if frame.source else history[history["domain"] == "target"]
    x = drawn[frame.axis]
    return None if x.empty else (float(x.min()), float(x.max()))


def _curves(run: Run | None) -> tuple[list[Run], list[curves.Curve]]:
    lab = the_lab()
    wanted = st.session_state.get("overlays", [])
    known = {one.id: one for one in lab.runs()} if wanted else {}
    over = [known[key] for key in wanted if key in known]
    shown = [*([run] if run else []), *(one for one in over if run is None or one.id != run.id)]
    named = names(shown)
    drawn = []
    for one in shown:
        log = log_of(one.id)
        if one is not run:  # which has been read by whoever draws it
            log.read(lab, one)
        drawn.append(log.curve(named[one.id]))
    return shown, drawn


def _span(experiment: Experiment | None, around: ChartContext, history: pd.DataFrame) -> tuple[float, float] | None:
    """The epochs still to come, so that the chart shows the progress of a run; if there are many, not all at once."""
    epochs = around.epochs or (experiment.epochs if experiment else None)
    if experiment is None or not epochs:
        return None
    strategy = catalog.strategies().get(experiment.strategy)
    first = experiment.source_epochs if experiment.source and strategy and strategy.start != "random" else 0
    if strategy and (teacher := strategy(**experiment.options).teacher) and not teacher.startswith("run:"):
        first += epochs
    if not st.session_state.get("with_source", True):
        first = 0
    last, done = FEW_EPOCHS, 0.0 if history.empty else float(history["epoch"].max())
    while last < 1.1 * done:
        last *= 2
    last = min(last, epochs)
    return (-first - 0.01 * last, last * 1.02)


def switches(shown: Run | None) -> None:
    """Axis, scale, and which other runs are overlaid on this one; `charts` reads them on its next turn."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        # Defaults of the widgets instead of values in their state: if a run of this script is cut short
        # before it gets here, Streamlit forgets the state, and the source would vanish from the curves.
        st.segmented_control(
            "X axis", list(AXES), default="epoch", format_func=AXES.__getitem__, key="axis", required=True
        )
        with st.container(width="content", gap="xxsmall"):
            st.toggle("Logarithmic loss", key="log_loss", help="Shows small differences late in training.")
            st.toggle("Show the source", value=True, key="with_source", help="Training on the source, left of 0.")
        others = {run.id: run for run in the_lab().runs(50) if shown is None or run.id != shown.id}
        st.session_state["overlays"] = [key for key in st.session_state.get("overlays", []) if key in others]
        st.multiselect(
            "Overlay",
            list(others),
            format_func=told_apart(others, lambda key: in_a_list(others[key])).__getitem__,
            key="overlays",
            max_selections=MOST_OVERLAYS,
            placeholder="other runs" if others else "no other runs yet",
            disabled=not others,
        )

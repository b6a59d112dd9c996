"""A run's test results: figures, calibration, the confusion matrix with its samples, mistakes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.kinds import kind_of
from pages.parts.depth.samples import gallery
from transfer.insight import answers as numbers
from transfer.insight import calibration, confusion
from transfer.insight.answers import Answers
from transfer.insight.words import counted, percent
from transfer.lab import Run

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
STILL = CONFIG | {"displayModeBar": False, "scrollZoom": False}
SHOWN = 24
FIGURE = 144
PERCENT = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
FIGURES = {
    "accuracy": ("Accuracy", "Share of test pictures classified correctly. Misleadingly high if most pictures belong "
                 "to one class."),
    "balanced_accuracy": ("Balanced", "Balanced accuracy: the average recall of all classes, rare ones included. "
                          "Unreliable if a class has few pictures."),
    "precision": ("Precision", "Of the pictures assigned to a class, the share that belong to it; average over "
                  "classes. Ignores pictures it misses."),
    "recall": ("Recall", "Of the pictures in a class, the share it finds; average over classes. Ignores false "
               "alarms."),
    "f1": ("F1", "Harmonic mean of precision and recall, averaged over classes. Hides which of the two is low."),
    "top_5": ("Top 5", "Share whose correct class is among its five most likely ones. Easy with few classes."),
}  # fmt: skip


def metrics(run: Run, answers: Answers) -> None:
    """The test results as figures, overall and by class."""
    kind = kind_of(run.experiment.target)
    found = numbers.scores(answers)
    with st.container(horizontal=True, gap="small"):
        for name, value in found.items():
            title, words = FIGURES[name]
            st.metric(title, percent(value, 1), help=kind.words(words), border=True, width=FIGURE)
        error = calibration.expected_calibration_error(answers)
        st.metric(
            "Calibration error", percent(error, 1), border=True, width=FIGURE,
            help="Expected calibration error: how far its probabilities differ from how often it is right; 0 is best. "
            f"Unreliable with only a few hundred {kind.nouns}.",
        )  # fmt: skip
    count, low, high = (run.metrics.get(name) for name in ("test_count", "test_low", "test_high"))
    if low is not None and high is not None:
        st.caption(
            f"On {count:,} test {kind.nouns}, used only once, at the end. The 95 % interval of the accuracy is "
            f"{percent(low, 1)} to {percent(high, 1)}: the test set is finite."
        )
    st.markdown(
        "**By class** · How well each class is recognised, and what it is mistaken for.",
        help=f"Precision: of the {kind.nouns} assigned to the class, the share that belong to it. Recall: of the "
        f"class's {kind.nouns}, the share it finds. In a class of ten, each one counts ten points.",
    )
    share: Any = {"format": "%.1f %%", "min_value": 0.0, "max_value": 100.0}
    table = numbers.per_class(answers)
    table[list(PERCENT)] *= 100
    st.dataframe(
        table, hide_index=True, width="stretch", height="auto",
        column_config={
            "class": "Class", "pictures": st.column_config.NumberColumn(kind.nouns.capitalize(), width="small"),
            **{name: st.column_config.ProgressColumn(title, **share) for name, title in PERCENT.items()},
            "taken_for": st.column_config.TextColumn("Most often mistaken for", help="In brackets: how often."),
        },
    )  # fmt: skip
    st.markdown(
        f"**Reliability** · {calibration.verdict(answers)}",
        help="Groups answers by the network's confidence and shows how often they were right. Bars below the line: it "
        f"is too confident. Bars with few {kind.nouns} (small dots) say little.",
    )
    st.plotly_chart(
        calibration.figure(answers, run.id), key="chart_reliability", config=CONFIG,
        alt=f"reliability diagram: {calibration.verdict(answers)}",
    )  # fmt: skip


def confused(run: Run, answers: Answers) -> None:
    """The confusion matrix; clicking a cell shows its samples."""
    kind = kind_of(run.experiment.target)
    st.markdown(
        f"**Confusion** · {confusion.commonest(answers)} Click a cell to see its {kind.nouns}.",
        help="Rows: true class; columns: answer. Correct answers are on the diagonal. Colours show the share of the "
        "row. It does not show how confident the mistakes were, and labels can be wrong too.",
    )
    # A container instead of page columns: on a tablet, the samples come below the matrix.
    matrix, behind = st.columns([6, 5], gap="medium")
    with matrix:
        scale = st.segmented_control(
            "Numbers", confusion.SCALES, default="count", key="confusion_scale", required=True,
            format_func={"count": kind.nouns, "share": "% of the row"}.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
        if len(answers.classes) > confusion.ALL_SHOWN:
            st.caption(f"Shows the {confusion.ALL_SHOWN} of {len(answers.classes)} classes with the most mistakes.")
        drawn = confusion.figure(answers, scale or "count", run.id, dark=st.context.theme.type == "dark")
        event: Any = st.plotly_chart(
            drawn, key="chart_confusion", config=STILL, on_select="rerun", selection_mode="points",
            alt=f"confusion matrix: {confusion.commonest(answers)}",
        )  # fmt: skip
    with behind:
        clicked = confusion.cell(event["selection"])
        if clicked is None:
            st.info(f"Click a cell of the matrix to see its {kind.nouns} here.", icon=":material/touch_app:")
            return
        truth, said = clicked
        places = confusion.behind(answers, truth, said)
        named = f"**{answers.classes[truth]}**" + (
            "" if truth == said else f", classified as **{answers.classes[said]}**"
        )
        more = f"; the {SHOWN} most confident" if len(places) > SHOWN else ", most confident first"
        st.markdown(f"{named}: {counted(len(places), kind.noun)}{more}")
        gallery(run, answers, places[:SHOWN].tolist(), f"cell{truth}.{said}", f"No {kind.nouns}.")


def mistakes(run: Run, answers: Answers) -> None:
    """Most confident mistakes and least confident hits."""
    kind = kind_of(run.experiment.target)
    wrong = int((~answers.right).sum())
    st.markdown(
        f"**Most confident mistakes** · {wrong:,} of {len(answers.labels):,} are wrong; the most confident first.",
        help=f"Look here first for wrong labels, {kind.nouns} of two things, and classes that are alike. These "
        "are extreme mistakes; for typical ones see the confusion matrix.",
    )
    gallery(run, answers, numbers.surest_mistakes(answers, SHOWN // 2).tolist(), "mistake", "No mistakes.")
    st.markdown(
        "**Least confident hits** · Right, but only just.",
        help=f"The first answers to turn wrong if the {kind.nouns} were slightly different. Confidence is the "
        "network's own estimate: check the reliability diagram before you trust it.",
    )
    gallery(run, answers, numbers.unsure_hits(answers, SHOWN // 2).tolist(), "hit", "No correct answers.")

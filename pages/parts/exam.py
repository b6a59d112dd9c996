"""How a run did in its test: figures, calibration, confusion with the pictures behind it, mistakes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.gallery import gallery
from transfer.insight import answers as numbers
from transfer.insight import calibration, confusion
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
STILL = CONFIG | {"displayModeBar": False, "scrollZoom": False}
SHOWN = 24
FIGURE = 144
PERCENT = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
FIGURES = {
    "accuracy": ("Accuracy", "Share of the test pictures that got the right class. High without merit when one class "
                 "is most of the pictures."),
    "balanced_accuracy": ("Balanced", "Balanced accuracy: the mean of the classes' recalls, rare ones count alike. "
                          "Shaky when a class has few pictures."),
    "precision": ("Precision", "Of what it calls a class, the share that is; mean over the classes. Says nothing of "
                  "those it misses."),
    "recall": ("Recall", "Of the pictures of a class, the share it finds; mean over the classes. Says nothing of "
               "false alarms."),
    "f1": ("F1", "Harmonic mean of precision and recall, mean over the classes. Hides which of the two is low."),
    "top_5": ("Top 5", "Share whose right class is among the five it finds likeliest. Easy with few classes."),
}  # fmt: skip


def metrics(run: Run, answers: Answers) -> None:
    """The test in figures, and by class."""
    found = numbers.scores(answers)
    with st.container(horizontal=True, gap="small"):
        for name, value in found.items():
            title, words = FIGURES[name]
            st.metric(title, percent(value, 1), help=words, border=True, width=FIGURE)
        error = calibration.expected_calibration_error(answers)
        st.metric(
            "Calibration error", percent(error, 1), border=True, width=FIGURE,
            help="Expected calibration error: how far its probabilities are from how often it is right, 0 is best. "
            "Not to be trusted on a few hundred pictures.",
        )  # fmt: skip
    count, low, high = (run.metrics.get(name) for name in ("test_count", "test_low", "test_high"))
    if low is not None and high is not None:
        st.caption(
            f"On {count:,} test pictures, used only once, at the end. As many other pictures would give an accuracy "
            f"between {percent(low, 1)} and {percent(high, 1)} (95 % interval)."
        )
    st.markdown(
        "**By class** · Which classes are found, and what they are taken for.",
        help="Precision: of what it calls so, the share that is. Recall: of those there are, the share it finds. "
        "A class of ten pictures moves by ten points with one of them.",
    )
    share: Any = {"format": "%.1f %%", "min_value": 0.0, "max_value": 100.0}
    table = numbers.per_class(answers)
    table[list(PERCENT)] *= 100
    st.dataframe(
        table, hide_index=True, width="stretch", height="auto",
        column_config={
            "class": "Class", "pictures": st.column_config.NumberColumn("Pictures", width="small"),
            **{name: st.column_config.ProgressColumn(title, **share) for name, title in PERCENT.items()},
            "taken_for": st.column_config.TextColumn("Most often taken for", help="And how often."),
        },
    )  # fmt: skip
    st.markdown(
        f"**Reliability** · {calibration.verdict(answers)}",
        help="Answers by how sure the network was, against how often it was right: bars below the line mean that it "
        "is too sure. Bars of few pictures (small dots) say little.",
    )
    st.plotly_chart(
        calibration.figure(answers, run.id), key="chart_reliability", config=CONFIG,
        alt=f"reliability diagram: {calibration.verdict(answers)}",
    )  # fmt: skip


def confused(run: Run, answers: Answers) -> None:
    """The confusion matrix; a click on a cell opens the pictures behind it."""
    st.markdown(
        f"**Confusion** · {confusion.commonest(answers)} Click on a cell to see its pictures.",
        help="True class down, answer across: hits on the diagonal, mistakes off it. Colour goes by share of the row. "
        "It does not tell how sure the mistakes were; and labels can be wrong, too.",
    )
    # A box and not columns of the page: on a tablet the pictures come below the matrix.
    matrix, behind = st.columns([6, 5], gap="medium")
    with matrix:
        scale = st.segmented_control(
            "Numbers", confusion.SCALES, default="count", key="confusion_scale", required=True,
            format_func={"count": "pictures", "share": "% of the row"}.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
        if len(answers.classes) > confusion.ALL_SHOWN:
            st.caption(f"The {confusion.ALL_SHOWN} of {len(answers.classes)} classes with most mistakes.")
        drawn = confusion.figure(answers, scale or "count", run.id, dark=st.context.theme.type == "dark")
        event: Any = st.plotly_chart(
            drawn, key="chart_confusion", config=STILL, on_select="rerun", selection_mode="points",
            alt=f"confusion matrix: {confusion.commonest(answers)}",
        )  # fmt: skip
    with behind:
        clicked = confusion.cell(event["selection"])
        if clicked is None:
            st.info("Click on a cell of the matrix: its pictures appear here.", icon=":material/touch_app:")
            return
        truth, said = clicked
        places = confusion.behind(answers, truth, said)
        named = f"**{answers.classes[truth]}**" + ("" if truth == said else f", called **{answers.classes[said]}**")
        more = f"; the {SHOWN} it was surest of" if len(places) > SHOWN else ", surest first"
        st.markdown(f"{named}: {len(places)} picture{'s' if len(places) != 1 else ''}{more}")
        gallery(run.id, answers, places[:SHOWN].tolist(), f"cell{truth}.{said}", "No picture.")


def mistakes(run: Run, answers: Answers) -> None:
    """Most confident mistakes and least certain hits."""
    wrong = int((~answers.right).sum())
    st.markdown(
        f"**Most confident mistakes** · {wrong:,} of {len(answers.labels):,} are wrong; these it was surest of.",
        help="Look here first: wrong labels, two things in one picture, a class that looks like another. They are the "
        "extreme, not the typical mistake; the confusion matrix has those.",
    )
    gallery(run.id, answers, numbers.surest_mistakes(answers, SHOWN // 2).tolist(), "mistake", "Not one mistake.")
    st.markdown(
        "**Least certain hits** · Right, but nearly not.",
        help="What the network would lose first were the pictures a little different. Sureness is its own opinion: "
        "see the reliability diagram before it is believed.",
    )
    gallery(run.id, answers, numbers.unsure_hits(answers, SHOWN // 2).tolist(), "hit", "Not one hit.")

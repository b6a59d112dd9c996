"""Trying networks on a text of one's own."""

from __future__ import annotations

from html import escape
from typing import Any

import streamlit as st

from pages.kinds.text.escaped import SMALL, html
from pages.kinds.text.marked_words import marked, strongest
from pages.kinds.text.writing_part import writing
from pages.parts.try_it.answers import show_answers
from transfer import catalog
from transfer.lab import Run

MOST_LETTERS = 20_000
NEAR = 160


def try_it(runs: list[Run]) -> None:
    """The text on the left, the networks' answers on the right; below, what those that can write go on with."""
    _asked(runs)
    writing(runs)


def _asked(runs: list[Run]) -> None:
    left, right = st.columns([4, 8], gap="medium")
    with left:
        text = st.text_area(
            "A text", key="text", height=240, max_chars=MOST_LETTERS, placeholder="Type or paste a text.",
            help="Press Ctrl+Enter, or click elsewhere, to see the answers.",
        )  # fmt: skip
        st.caption("Press Ctrl+Enter to see the answers.")
    with right:
        st.markdown(
            "**Answers** · Each class's probability, the words it rests on, and the most similar training texts.",
            help="The stronger a word's colour, the more the answer's probability falls without it. Similarity is the "
            "cosine between features (1: same direction), over at most 2,000 training texts. A text that belongs to no "
            "class gets an answer too, often a confident one, because probabilities always add up to 1.",
        )
        if not text.strip():
            st.info("Type a text on the left to see the answers here.", icon=":material/arrow_back:")
            return
        show_answers(runs, "read", {run.id: text for run in runs}, _detail)


def _detail(run: Run, text: Any, answer: Any) -> None:
    """The words that carried the answer, and the most similar training texts."""
    classes = catalog.dataset(run.experiment.target).classes
    name = classes[int(answer["probabilities"].argmax())]
    st.html(marked(answer["words"], answer["falls"]))
    st.caption(strongest(answer["words"], answer["falls"], name))
    st.caption("most similar training texts")
    for near, label, alike in zip(answer["texts"], answer["labels"], answer["alike"], strict=True):
        whose = escape(classes[label]) if label >= 0 else "no label"
        st.html(f'<div style="{SMALL}"><b>{whose}</b> · {alike:.2f} · {html(near, NEAR)}</div>')

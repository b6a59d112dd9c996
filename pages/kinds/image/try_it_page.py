"""Trying networks on a picture of one's own."""

from __future__ import annotations

import streamlit as st

from pages.kinds.image.answers import knows_digits, show_answers
from pages.kinds.image.picture_input import picture_input
from transfer.lab import Run


def try_it(runs: list[Run]) -> None:
    """The picture on the left, the networks' answers on the right."""
    digits = all(knows_digits(run) for run in runs)
    left, right = st.columns([4, 8], gap="medium")
    with left:
        picture = picture_input(digits)
        strokes = digits and st.toggle(
            "Centre the strokes", value=True, key="strokes",
            help="As in MNIST: light strokes on dark, 20 of 28 pixels high and centred. Without this, a digit in a "
            "corner looks like nothing in the training pictures.",
        )  # fmt: skip
    with right:
        st.markdown(
            "**Answers** · Each class's probability, where the network looked, and the most similar training pictures.",
            help="Similarity is the cosine between features (1: same direction), over at most 2,000 training pictures. "
            "A picture that belongs to no class gets an answer too, often a confident one, because probabilities "
            "always add up to 1.",
        )
        if picture is None:
            st.info("Draw or upload a picture on the left to see the answers here.", icon=":material/arrow_back:")
        else:
            show_answers(runs, picture, strokes)

"""Which words of a text of the test set carried its answer, before and after training."""

from __future__ import annotations

import streamlit as st

from pages.kinds.text.marked_words import marked, strongest
from pages.parts.common.network_questions import OPENING, ask_network
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run


def where(run: Run, answers: Answers) -> None:
    """Every word left out in turn, for any text of the test set."""
    st.markdown(
        "**Which words** · Each word is left out in turn; the darker it is, the more the answer rests on it.",
        help="Occlusion (Li, Monroe & Jurafsky 2016): the fall of the class's probability without the word. Dotted "
        "words speak against the class. Where two words say the same, neither seems to matter, because the other "
        "still carries the answer. Words beyond the network's length are never read.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        place = int(
            st.number_input(
                "Text of the test set", 0, len(answers.labels) - 1, key="picture", width=170,
                help="Its number in the test set. Clicking a text under Confusion or Mistakes also leads here.",
            )
        )  # fmt: skip
        names = ["its answer", *answers.classes]
        whose = st.selectbox("Evidence for", names, key=f"evidence:{run.id}", width=220)
    target = answers.classes.index(whose) if whose in answers.classes else int(answers.predicted[place])
    name, said = answers.classes[target], answers.classes[answers.predicted[place]]
    st.caption(f"Text {place}: **{answers.classes[answers.labels[place]]}**, classified as **{said}**")
    for title, start in (("After training", False), ("Before training", True)):
        found = ask_network("evidence", OPENING, run=run.id, place=place, target=target, start=start)
        if found is None:
            return  # the next question would fail for the same reason
        if found["probabilities"] is None:
            st.caption("Before training the head had not learned anything, so no word could matter to it.")
            continue
        sure = percent(float(found["probabilities"][target]))
        st.markdown(f"{title}: **{name}**, {sure} sure. {strongest(found['words'], found['falls'], name)}")
        st.html(marked(found["words"], found["falls"]))

"""Which words of a text of the test set carried its answer, before and after training."""

from __future__ import annotations

import streamlit as st

from pages.kinds.text.marked_words import marked, strongest
from pages.parts.common.network_questions import OPENING, ask_network
from transfer import catalog
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run

WAYS = {
    "occlusion": (
        "Leave out",
        "Each word is left out in turn. The stronger its colour, the more the answer rests on it.",
        "Occlusion (Li, Monroe & Jurafsky 2016): the fall of the class's probability without the word. Dotted "
        "words speak against the class. Where two words say the same, neither seems to matter, because the other "
        "still carries the answer. Words beyond the network's length are never read.",
    ),
    "gradient": (
        "Gradient × input",
        "The stronger a word's colour, the more it adds to the class's logit (blue) or takes from it (red), to first "
        "order.",
        "The logit's gradient times each token's vector, summed over the pieces of a word (Shrikumar et al. 2016). "
        "Dotted words speak against the class. Where the network is very sure, slopes are small although the "
        "word carries the answer; small differences between words mean little.",
    ),
    "attention": (
        "Attention",
        "The stronger a word's colour, the more attention it gets in the last block. **Attention is not explanation**: "
        "it shows where vectors are mixed from, not why a class was answered, and it is the same for every class.",
        "The mean over the heads and over all tokens that look. Other attention often gives the same answer (Jain & "
        "Wallace 2019), and deep in a network a token also holds what its neighbours said. Marks of the tokenizer take "
        "a share that is not shown.",
    ),
}


def where(run: Run, answers: Answers) -> None:
    """What each word does to an answer, asked in one of several ways, for any text of the test set."""
    parts = catalog.backbone(run.experiment.backbone).parts
    ways = [one for one in WAYS if one != "attention" or parts is None or "attention" in parts]
    asked = st.session_state.get("words_by") or ways[0]
    way = asked if asked in ways else ways[0]
    st.markdown(f"**Which words** · {WAYS[way][1]}", help=WAYS[way][2])
    st.segmented_control(
        "Found by", ways, default=None if "words_by" in st.session_state else ways[0], required=True, key="words_by",
        format_func=lambda one: WAYS[one][0],
    )  # fmt: skip
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
        found = ask_network("evidence", OPENING, run=run.id, place=place, target=target, start=start, way=way)
        if found is None:
            return  # the next question would fail for the same reason
        if found["probabilities"] is None and way == "attention":
            st.markdown(f"{title}: {strongest(found['words'], found['falls'], name, way)}")
            st.html(marked(found["words"], found["falls"], way))
            continue
        if found["probabilities"] is None:
            st.caption("Before training the head had not learned anything, so no word could matter to it.")
            continue
        sure = percent(float(found["probabilities"][target]))
        st.markdown(f"{title}: **{name}**, {sure} sure. {strongest(found['words'], found['falls'], name, way)}")
        st.html(marked(found["words"], found["falls"], way))

"""Questions to a separate process, and what the page shows until it answers."""

from __future__ import annotations

import streamlit as st

from pages.parts.common.redrawing import still_there
from transfer.errors import LabError
from transfer.lab import data_questions
from transfer.lab.data_questions import Answer, Question

EVERY_SECONDS = 0.7


def answered(question: Question, words: str) -> Answer | None:
    """The answer, or None while it is being computed; the page then shows the progress.

    Args:
        question: what is asked.
        words: what is being done, shown meanwhile.
    """
    try:
        answer = data_questions.ask(question)
    except LabError as problem:
        st.warning(str(problem), icon=":material/block:")
        return None
    if answer.found is not None:
        return answer
    if answer.problem:
        st.warning(answer.problem, icon=":material/block:")
        st.button("Try again", key=f"again:{question.kind}", on_click=data_questions.again, args=(question,))
        return None
    _wait(question, words)
    return None


@st.fragment(run_every=EVERY_SECONDS)
@still_there
def _wait(question: Question, words: str) -> None:
    """Redraws the page as soon as there is an answer."""
    try:
        answer = data_questions.ask(question)
    except LabError:
        st.rerun(scope="app")  # the data set has been removed; the page says so
    if answer.found is not None or answer.problem:
        st.rerun(scope="app")
    if answer.total:
        st.progress(min(1.0, answer.done / answer.total), f"{words}: {answer.done:,} of {answer.total:,} pictures")
    else:
        st.caption(f":material/hourglass_empty: {words} ...")


def picture(answer: Answer, name: str, alt: str) -> None:
    """One of an answer's pictures, or a note that it was cleared away.

    Args:
        answer: the answer.
        name: of the picture's file.
        alt: the picture in words.
    """
    found = answer.picture(name)
    if found is not None:
        st.image(found, alt=alt)
        return
    answer.forget()
    st.caption(":material/hide_image: This picture was cleared from the cache. Reload the page to create it again.")

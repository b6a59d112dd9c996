"""Questions to a process of its own, and what the page shows until the answer is there."""

from __future__ import annotations

import streamlit as st

from transfer.errors import LabError
from transfer.lab import looking
from transfer.lab.looking import Answer, Question

EVERY_SECONDS = 0.7


def answered(question: Question, words: str) -> Answer | None:
    """The answer, or None while it is being found out, which is shown with its progress.

    Args:
        question: what is asked.
        words: what is being done, for the person who waits.
    """
    try:
        answer = looking.ask(question)
    except LabError as problem:
        st.warning(str(problem), icon=":material/block:")
        return None
    if answer.found is not None:
        return answer
    if answer.problem:
        st.warning(answer.problem, icon=":material/block:")
        st.button("Try again", key=f"again:{question.kind}", on_click=looking.again, args=(question,))
        return None
    _wait(question, words)
    return None


@st.fragment(run_every=EVERY_SECONDS)
def _wait(question: Question, words: str) -> None:
    """Draws the page again as soon as there is an answer."""
    answer = looking.ask(question)
    if answer.found is not None or answer.problem:
        st.rerun(scope="app")
    if answer.total:
        st.progress(min(1.0, answer.done / answer.total), f"{words}: {answer.done:,} of {answer.total:,} pictures")
    else:
        st.caption(f":material/hourglass_empty: {words} ...")

"""Samples of a run's test set, each with its class, the answer, and a link to what the answer rests on."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.kinds import kind_of, shows
from pages.parts.common.network_questions import samples
from transfer.insight.answers import Answers
from transfer.insight.words import percent
from transfer.lab import Run


def gallery(of: Run, answers: Answers, places: Sequence[int], key: str, empty: str) -> None:
    """The samples at these indices of the test set, in this order.

    Args:
        of: the run.
        answers: to the whole test set.
        places: indices in the test set.
        key: distinguishes this gallery from others on the page.
        empty: what to show if there are none.
    """
    if not len(places):
        st.caption(empty)
        return
    kind = kind_of(of.experiment.target)
    shown = shows(kind.key)
    found = samples(of.id, [int(one) for one in places])
    if found is None:
        return
    with st.container(horizontal=True, gap="small"):
        for place, sample in zip(places, found, strict=True):
            with st.container(width=shown.WIDTH + 8, gap="xxsmall"):
                truth, said = (answers.classes[one[place]] for one in (answers.labels, answers.predicted))
                sure = percent(float(answers.confidence[place]))
                shown.sample(sample, f"{place}: {truth}, classified as {said}")
                mark = ":material/check:" if truth == said else ":material/close:"
                st.caption(f"{mark} {truth}" if truth == said else f"{mark} {truth}, classified as **{said}**")
                st.button(
                    f"{sure} sure", key=f"{key}:{place}", icon=":material/search:", type="tertiary",
                    help=f"{shown.WHERE}: {kind.noun} {place} of the test set.",
                    on_click=look_at, args=(int(place),),
                )  # fmt: skip


def look_at(place: int) -> None:
    """Opens a sample in the part that shows what an answer rests on."""
    st.session_state["part"] = "look"
    st.session_state["picture"] = place

"""Pictures of a run's test set, each with its class, the answer, and a link to where the network looked."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.inquiry import pictures
from transfer.insight.answers import Answers
from transfer.insight.heat import enlarged
from transfer.insight.words import percent

WIDTH = 112


def gallery(run: str, answers: Answers, places: Sequence[int], key: str, empty: str) -> None:
    """The pictures at these indices of the test set, in this order.

    Args:
        run: its id.
        answers: to the whole test set.
        places: indices in the test set.
        key: distinguishes this gallery from others on the page.
        empty: what to show if there are none.
    """
    if not len(places):
        st.caption(empty)
        return
    found = pictures(run, [int(one) for one in places])
    if found is None:
        return
    with st.container(horizontal=True, gap="small"):
        for place, picture in zip(places, found, strict=True):
            with st.container(width=WIDTH + 8, gap="xxsmall"):
                truth, said = (answers.classes[one[place]] for one in (answers.labels, answers.predicted))
                sure = percent(float(answers.confidence[place]))
                st.image(enlarged(picture, WIDTH), width=WIDTH, alt=f"picture {place}: {truth}, classified as {said}")
                mark = ":material/check:" if truth == said else ":material/close:"
                st.caption(f"{mark} {truth}" if truth == said else f"{mark} {truth}, classified as **{said}**")
                st.button(
                    f"{sure} sure", key=f"{key}:{place}", icon=":material/search:", type="tertiary",
                    help=f"Shows where the network looked in picture {place} of the test set.",
                    on_click=look_at, args=(int(place),),
                )  # fmt: skip


def look_at(place: int) -> None:
    """Opens a picture under "Where it looked"."""
    st.session_state["part"] = "look"
    st.session_state["picture"] = place

"""Adding your own samples, of every kind that can be added."""

from __future__ import annotations

import streamlit as st

from pages.kinds import own_data
from transfer import modalities


def panel(empty: bool) -> None:
    """The ways to add samples, by kind.

    Args:
        empty: whether the user has added nothing yet; the panel then starts open.
    """
    kinds = {one.nouns.capitalize(): key for key, one in modalities.kinds().items() if own_data(key) is not None}
    nouns = " or ".join(name.lower() for name in kinds)
    with st.expander(f"Add your own {nouns}", expanded=empty, icon=":material/add_notes:"):
        kind = st.segmented_control("Kind", list(kinds), default=next(iter(kinds)), required=True, key="upload_kind",
                                    label_visibility="collapsed")  # fmt: skip
        adding = own_data(kinds[str(kind)])
        if adding is not None:
            adding.panel()

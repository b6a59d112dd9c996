"""Whether this session has seen a page; whatever is not needed at once waits until then."""

from __future__ import annotations

import streamlit as st


def first_drawing_over() -> bool:
    """Whether this session has seen a page; whatever is not needed at once waits until then."""
    return bool(st.session_state.get("drawn"))


def drawn() -> None:
    """Notes that it has."""
    st.session_state["drawn"] = True

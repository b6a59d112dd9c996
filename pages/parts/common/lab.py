"""The one Lab of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from transfer.lab import Lab


@st.cache_resource(show_spinner=False)
def the_lab() -> Lab:
    """The Lab of this process, shared by all pages, tabs and users."""
    # Imported here because SQLAlchemy takes a quarter of a second; the first drawing of a page does not wait for it.
    from transfer.lab import Lab

    return Lab()

"""Every page is run by ``app.py``, which draws the navigation around it."""

from __future__ import annotations

import streamlit as st

PAGES = ("lab", "data", "runs", "compare", "run", "try_it")


def through_app() -> None:
    """Makes sure that a page is run by ``app.py``; the first line of every page.

    Because the folder is called pages, Streamlit runs a page on its own, without navigation and
    banner, until somebody has opened ``/`` after the server's start: a tab that was left open
    during a restart, say. Declaring any navigation ends this; the rerun then begins in app.py.
    """
    if not st.session_state.get("through_app"):
        # With a default page of its own, because /lab would otherwise be taken for the default page's and not be found.
        st.navigation([st.Page(through_app, default=True), *(f"pages/{one}.py" for one in PAGES)], position="hidden")
        st.session_state["through_app"] = True
        st.rerun()

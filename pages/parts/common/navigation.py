"""Navigation, and the live runs at the top of every page."""

from __future__ import annotations

import streamlit as st

from pages.parts.common.banner import banner
from pages.parts.common.form import sent
from transfer.errors import UnknownKey

# Drawn here, because Streamlit downloads emoji and its own tab icons, and the lab works offline.
ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="7" fill="#2F6690"/>
<path d="M6 24C13 24 12 9 26 8" fill="none" stroke="#FFF" stroke-width="3.5" stroke-linecap="round"/></svg>"""


def navigate() -> None:
    """Draws the page that the address names."""
    st.set_page_config(page_title="Transfer Lab", page_icon=ICON, layout="wide")
    lab = st.Page("pages/lab.py", title="Lab", icon=":material/science:", url_path="lab")
    data = st.Page("pages/data.py", title="Data", icon=":material/photo_library:", url_path="data")
    runs = st.Page("pages/runs.py", title="Runs", icon=":material/list:", url_path="runs")
    compare = st.Page("pages/compare.py", title="Compare", icon=":material/stacked_line_chart:", url_path="compare")
    one_run = st.Page("pages/run.py", title="Run", icon=":material/search_insights:", url_path="run")
    try_it = st.Page("pages/try_it.py", title="Try it", icon=":material/draw:", url_path="try_it")

    def home() -> None:
        """Leads from the address without a page to the lab; Streamlit gives its default page no address of its own."""
        st.switch_page(lab, query_params=st.query_params.to_dict())

    pages = [lab, data, runs, compare, one_run, try_it]
    page = st.navigation([st.Page(home, default=True, visibility="hidden"), *pages], position="top")
    st.session_state["through_app"] = True
    top = st.container()
    try:
        page.run()
    except UnknownKey as gone:  # removed by another tab while the page was being drawn
        st.warning(f"{gone} It may just have been removed.", icon=":material/search_off:")
    # Last, because the lab's store takes a while to import: the page appears before.
    with top:
        banner()
    sent()

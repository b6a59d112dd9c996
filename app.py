"""Transfer Lab: `streamlit run app.py`.

The server imports this file for ``app``, which adds its own routes to Streamlit's; Streamlit also runs this file
as the script of every page.
"""

from __future__ import annotations

import streamlit as st

if __name__ == "__main__":
    from pages.parts.common.navigation import navigate

    navigate()
else:
    from pages.live.routes import routes

    app = st.App(__file__, routes=routes())

"""All runs: search, compare, tag, archive and repeat them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.parts.common.entry import through_app
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import still_there
from pages.parts.common.titles import in_words
from pages.parts.runs import actions, table
from pages.parts.watch import controls

EVERY_SECONDS = 1.0
MOST_LIVE = 8


@st.fragment(run_every=EVERY_SECONDS)
@still_there
def live_rows(before: tuple[tuple[str, str], ...]) -> None:
    """State and progress of queued and running runs; redraws the page when one starts or ends."""
    live = the_lab().live()
    if tuple((run.id, run.state) for run in live) != before:
        st.rerun(scope="app")
    rows = []
    for run in sorted(live, key=lambda one: one.state != "running")[:MOST_LIVE]:
        progress = run.progress or {}
        total = progress.get("total") or 0
        rows.append(
            {
                "State": run.state,
                "Experiment": f"{in_words(run.experiment)}, seed {run.experiment.seed}",
                "Progress": 100 * progress["done"] / total if total else 0.0,
                "Doing": progress.get("text", ""),
            }
        )
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, key="live_runs", height="content",
        column_config={"Progress": st.column_config.ProgressColumn(format="%d %%", min_value=0.0, max_value=100.0)},
    )  # fmt: skip
    if len(live) > MOST_LIVE:
        st.caption(f"and {len(live) - MOST_LIVE:,} more in the queue")


def page(everything: pd.DataFrame) -> None:
    """Live runs, the table and the actions."""
    live = the_lab().live()
    if live:
        live_rows(tuple((run.id, run.state) for run in live))
    kept = table.filters(everything)
    if kept.empty:
        st.info("No matching runs. Remove a filter.", icon=":material/search_off:")
        actions.undo()
        return
    above = st.container()
    selected = table.table(kept)
    with above:
        actions.bar(selected, kept)
    shown = "" if len(kept) == len(everything) else f" of {len(everything):,}"
    runs = "run" if len(everything) == 1 else "runs"
    st.caption(f"{len(kept):,}{shown} {runs}, newest first. Click a column to sort.")


through_app()
if st.session_state.pop("go_to_lab", False):
    st.switch_page("pages/lab.py")
st.header("Runs", anchor=False)
controls.trouble()
everything = the_lab().summary.table()
if everything.empty:
    st.info("No runs yet. The default experiment takes about half a minute.", icon=":material/science:")
    st.page_link("pages/lab.py", label="Open the lab and press Start", icon=":material/arrow_forward:")
    actions.undo()
else:
    page(everything)

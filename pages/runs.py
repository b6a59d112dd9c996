"""The runs: what was run, newest first, and the way to each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.shared import ICONS, in_words, the_lab, through_app, title
from transfer import catalog
from transfer.insight.words import duration
from transfer.lab import Run

FITTING = 15


def row(run: Run) -> dict[str, Any]:
    """A run as a line of the table."""
    asked, metrics = run.experiment, run.metrics
    tested = metrics.get("test_accuracy")
    interval = f"{100 * metrics['test_low']:.1f} to {100 * metrics['test_high']:.1f} %" if tested is not None else ""
    return {
        "State": run.state,
        "Target": title(catalog.datasets(), asked.target),
        "Source": title(catalog.datasets(), asked.source) if asked.source else "none",
        "Backbone": title(catalog.backbones(), asked.backbone),
        "Strategy": title(catalog.strategies(), asked.strategy),
        "Labels": "all" if asked.labels_per_class is None else str(asked.labels_per_class),
        "Seed": asked.seed,
        "Best validation": metrics.get("validation_accuracy"),
        "Test": tested,
        "95 % interval": interval,
        "Took": duration(run.seconds),
        "When": datetime.fromtimestamp(run.created),
    }


def table(runs: list[Run]) -> Run | None:
    """The table; the run of the row that is selected."""
    percent: Any = {"format": "percent", "width": "small"}
    event: Any = st.dataframe(
        pd.DataFrame([row(run) for run in runs]),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="runs",
        height="content" if len(runs) <= FITTING else 600,
        column_config={
            "Labels": st.column_config.TextColumn(help="Training labels kept of each class.", width="small"),
            "Best validation": st.column_config.NumberColumn(
                help="Of the best epoch, by which it is chosen.", **percent
            ),
            "Test": st.column_config.NumberColumn(help="Accuracy on the test set, looked at once.", **percent),
            "95 % interval": st.column_config.TextColumn(
                help="Wilson's interval: how far the test accuracy could be off because the test set is finite."
            ),
            "When": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
        },
    )
    rows = event["selection"]["rows"]
    return runs[rows[0]] if rows and rows[0] < len(runs) else None


through_app()
st.header("Runs", anchor=False)
runs = the_lab().runs()
if not runs:
    st.info("Nothing was run yet. The default experiment takes about half a minute.", icon=":material/science:")
    st.page_link("pages/lab.py", label="Open the lab and press Start", icon=":material/arrow_forward:")
else:
    selected = table(runs)
    if selected is None:
        st.caption("Select a row to open its run.")
    else:
        with st.container(border=True):
            st.markdown(f"{ICONS[selected.state]} **{in_words(selected.experiment)}** · {selected.state}")
            st.page_link("pages/lab.py", label="Open this run", icon=":material/open_in_new:",
                         query_params={"run": selected.id})  # fmt: skip

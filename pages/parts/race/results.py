"""The results of a race: its table, accuracy against labels, and whether transfer helped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.race.log import RaceLog
from pages.parts.watch.charts import CONFIG
from transfer.insight import gain, label_curve, race, race_chart
from transfer.insight.words import duration

FEW_GAINS = 6


def table(several: Sequence[race.Arm], log: RaceLog) -> None:
    """One row per competitor, the best test score first."""
    rows = race.table(several, log.points)
    share = {"format": "%.1f %%", "width": "small"}
    column: Any = st.column_config
    shown = pd.DataFrame(
        {
            "Competitor": rows["name"],
            "Seeds": [f"{ended} of {asked}" for ended, asked in zip(rows["ended"], rows["seeds"], strict=True)],
            "Test": 100 * rows["test"].astype(float),
            "95 % interval": [_interval(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)],
            "Best": 100 * rows["best"].astype(float),
            "Last": 100 * rows["last"].astype(float),
            "Took": [duration(one) if pd.notna(one) else "" for one in rows["seconds"]],
            "Trainable": rows["trainable"],
            "Memory": [f"{one:,.0f} MB" if pd.notna(one) else "" for one in rows["memory"]],
        }
    )
    st.dataframe(
        shown, hide_index=True, key="race_table", height="content", placeholder="",
        column_config={
            "Test": column.NumberColumn(help="Mean test accuracy. A run uses its test set only once.", **share),
            "95 % interval": column.TextColumn(
                help="Of the mean over seeds, from their spread and the number of test pictures. None with one seed."
            ),
            "Best": column.NumberColumn(help="Validation accuracy of the best epoch.", **share),
            "Last": column.NumberColumn(help="Validation accuracy of the last epoch.", **share),
            "Took": column.TextColumn(help="Mean duration of a run, including its source."),
            "Trainable": column.NumberColumn(help="Weights that are trained.", format="localized", width="small"),
            "Memory": column.TextColumn(help="Peak memory."),
        },
    )  # fmt: skip


def _interval(low: float | None, high: float | None) -> str:
    return f"{100 * low:.1f} to {100 * high:.1f} %" if low is not None and high is not None and low == low else ""


def by_labels(several: Sequence[race.Arm], frame: race_chart.Frame) -> None:
    """Accuracy against labels per class, and the labels that transfer saves, if the race compares numbers of labels."""
    curves = label_curve.curves(several)
    if not curves:
        return
    st.markdown(
        "**Accuracy against labels per class** · A red ring marks where two curves cross.",
        help="Between measured numbers of labels, the line is interpolated. Where bands overlap, curves may cross by "
        "chance.",
    )
    drawn = race_chart.by_labels(curves, frame)
    st.plotly_chart(drawn, key="race_labels_chart", config=CONFIG, alt="Test accuracy against labels per class")
    saved = label_curve.frame(curves)
    if saved.empty:
        return
    st.markdown(
        "**Labels saved** · How many more labels per class from scratch needs to be as good, with 95 % intervals.",
        help="Below 0, transfer costs labels. Near the top a tiny gain in accuracy is worth many labels, so read with "
        "care. At least: with some seeds, from scratch never got there; for these, the most labels tried count.",
    )
    st.dataframe(saved, hide_index=True, key="race_labels_saved", height="content", placeholder="")


def gains(several: Sequence[race.Arm], curves: Mapping[str, tuple[np.ndarray, np.ndarray]], across: str) -> None:
    """Did transfer help, compared with training from scratch at the same budget.

    Args:
        several: the competitors.
        curves: each run's (x, validation accuracy).
        across: the unit of x, in words.
    """
    if not any(arm.scratch for arm in several):
        st.caption("From scratch was not in the race, so it can't show whether transfer helped.")
        return
    found = gain.gains(several, curves)
    if not found:
        return
    st.markdown(
        "**Did transfer help?** · Compared with from scratch at the same budget, seed by seed, with 95 % intervals.",
        help="The measures of Taylor and Stone (2009). Jumpstart: accuracy before the first step. Asymptotic: test "
        "accuracy at the end. Total reward ratio: how much larger the area under the curve is. Sooner: how much "
        "earlier the curve reaches 90 % of the final accuracy from scratch. With few seeds they are uncertain.",
    )
    said = [gain.sentence(one) for one in found] if len(found) <= FEW_GAINS else gain.summary(found)
    st.markdown("\n".join(f"- {one}" for one in said))
    rows = gain.frame(found)
    rows.columns = pd.Index(
        ["Competitor", "Jumpstart (points)", "Asymptotic (points)", "Total reward ratio", f"Sooner ({across})"]
    )
    st.dataframe(rows, hide_index=True, key="race_gains", height="content")

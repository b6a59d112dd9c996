"""The table of all runs: search, filters and the selected rows."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.titles import title
from transfer import catalog
from transfer.insight.words import duration

FITTING, HEIGHT = 14, 560
SEED = re.compile(r"\bseed\s+(\d+)\b", re.IGNORECASE)
KINDS = {"strategy": "strategies", "backbone": "backbones", "target": "datasets", "source": "datasets"}
FILTERS = {"state": "State", "strategy": "Strategy", "target": "Target", "backbone": "Backbone", "tags": "Tags"}


def filters(everything: pd.DataFrame) -> pd.DataFrame:
    """Draws search and filters above the table; returns the matching runs.

    Args:
        everything: one row per run, from `Lab.summary`.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sought = st.text_input("Search", key="runs_search", placeholder="any setting, tag or note",
                               max_chars=80, persist_state="session", width=300)  # fmt: skip
        wanted = {}
        for column, label in FILTERS.items():
            known = _values(everything, column)
            if len(known) > 1 or st.session_state.get(f"filter:{column}"):
                words = told_apart(known, partial(_title, column))
                wanted[column] = st.multiselect(
                    label, known, key=f"filter:{column}", format_func=words.__getitem__,
                    persist_state="session", placeholder="all", width=150,
                )  # fmt: skip
        archived = st.toggle("Show archived", key="runs_archived", persist_state="session")
    kept = everything if archived else everything[~everything["archived"].astype(bool)]
    for column, values in wanted.items():
        if values and column == "tags":
            kept = kept[[bool(set(tags) & set(values)) for tags in kept["tags"]]]
        elif values:
            kept = kept[kept[column].isin(values)]
    return found(kept, sought)


def found(table: pd.DataFrame, sought: str) -> pd.DataFrame:
    """The rows that contain every search word in a setting, its title, a tag, the note or the id.

    ``seed 7`` matches that seed, not every run with a 7 somewhere.
    """
    if not sought.split() or table.empty:
        return table
    seeds = [int(seed) for seed in SEED.findall(sought)]
    words = SEED.sub("", sought).lower().split()
    text = table["run"] + " " + table["state"] + " " + table["note"]
    for column, kind in KINDS.items():
        titles = {key: f"{key} {title(getattr(catalog, kind)(), key)}" for key in table[column].dropna().unique()}
        text = text + " " + table[column].map(titles).fillna("").astype(str)
    text = (text + " " + table["tags"].map(" ".join).astype(str)).str.lower()
    held = table["seed"].isin(seeds) if seeds else pd.Series(True, index=table.index)
    for word in words:
        held &= text.str.contains(word, regex=False)
    return table[held]


def table(kept: pd.DataFrame) -> list[str]:
    """Draws the table; returns the ids of the selected runs. They stay selected when rows come or go."""
    ids = kept["run"].tolist()
    before = [run for run in st.session_state.get("selected_runs", []) if run in set(ids)]
    # Streamlit keeps the selection by row number, so other rows make a new table with the same runs selected.
    key = f"runs:{hashlib.sha256(','.join(ids).encode()).hexdigest()[:12]}"
    place = {run: at for at, run in enumerate(ids)} if before else {}
    event: Any = st.dataframe(
        shown(kept), hide_index=True, on_select="rerun", selection_mode="multi-row", key=key,
        selection_default={"selection": {"rows": [place[run] for run in before]}} if before else None,
        height="content" if len(ids) <= FITTING else HEIGHT, column_config=_columns(), placeholder="",
    )  # fmt: skip
    chosen = [ids[row] for row in event["selection"]["rows"] if row < len(ids)]
    st.session_state["selected_runs"] = chosen
    return chosen


def shown(kept: pd.DataFrame) -> pd.DataFrame:
    """The visible columns, in words."""
    titles = {name: _titles(kept[name], kind) for name, kind in KINDS.items()}
    strategies = catalog.strategies()
    fresh = [key for key in kept["strategy"].unique() if key in strategies and strategies[key].start == "random"]
    # A network with random weights has no source, whatever was asked for.
    titles["source"] = titles["source"].mask(kept["strategy"].isin(fresh), "none")
    labels = kept["labels_per_class"].map(lambda one: "all" if pd.isna(one) else f"{one:g}")
    return pd.DataFrame(
        {
            "State": kept["state"],
            "Target": titles["target"],
            "Source": titles["source"],
            "Backbone": titles["backbone"],
            "Strategy": titles["strategy"],
            "Labels": labels,
            "Seed": kept["seed"],
            "Best": 100 * kept["validation_accuracy"].astype(float),
            "Last": 100 * kept["last_validation_accuracy"].astype(float),
            "Test": 100 * kept["test_accuracy"].astype(float),
            "95 % interval": _intervals(kept),
            "Took": [duration(seconds) if seconds else "" for seconds in kept["took"]],
            "When": pd.to_datetime(kept["created"], unit="s", utc=True).dt.tz_convert(_zone()).dt.tz_localize(None),
            "Tags": kept["tags"],
            "Note": kept["note"],
        }
    )


def _zone() -> Any:
    from datetime import datetime

    return datetime.now().astimezone().tzinfo


def _intervals(kept: pd.DataFrame) -> list[str]:
    lows, highs = kept["test_low"].astype(float), kept["test_high"].astype(float)
    return [
        f"{100 * low:.1f} to {100 * high:.1f} %" if low == low else "" for low, high in zip(lows, highs, strict=True)
    ]


def _titles(keys: pd.Series, kind: str) -> pd.Series:
    known = getattr(catalog, kind)()
    named = {key: title(known, key) for key in keys.dropna().unique()}
    return keys.map(named).fillna("none")


def _values(everything: pd.DataFrame, column: str) -> list[str]:
    if column == "tags":
        return sorted({tag for tags in everything["tags"] for tag in tags})
    return sorted(str(one) for one in everything[column].dropna().unique())


def _title(column: str, value: str) -> str:
    return title(getattr(catalog, KINDS[column])(), value) if column in KINDS else value


def _columns() -> dict[str, Any]:
    percent: Any = {"format": "%.1f %%", "width": 68}
    column = st.column_config
    return {
        # Streamlit sets the width by the first rows, which may not have the longer names.
        "Strategy": column.TextColumn(width=128),
        "Labels": column.TextColumn(help="Labelled training pictures per class.", width=62),
        "Seed": column.NumberColumn(width=52),
        "Best": column.NumberColumn(
            help="Validation accuracy of the best epoch, which is the one that is tested.", **percent
        ),
        "Last": column.NumberColumn(
            help="Validation accuracy of the last epoch. Far below the best: training went on too long.", **percent
        ),
        "Test": column.NumberColumn(help="Accuracy on the test set, which is used only once, at the end.", **percent),
        "95 % interval": column.TextColumn(
            help="Wilson interval: how far off the test accuracy could be because the test set is finite."
        ),
        "Tags": column.ListColumn(width=70),
        "When": column.DatetimeColumn(format="D MMM, HH:mm"),
    }

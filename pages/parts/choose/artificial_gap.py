"""An artificial domain gap: the target's pictures changed in one way, at a chosen severity."""

from __future__ import annotations

import streamlit as st

from pages.parts.common.form import choose, chosen
from transfer import catalog
from transfer.datasets.corrupted import KINDS, MARK, MOST

USUAL = 3
AS_THEY_ARE = ""


def widgets() -> None:
    """How the target's pictures are changed, and how strongly."""
    target = chosen()["target"]
    clean, _, change = target.partition(MARK)
    if clean not in catalog.datasets() or catalog.dataset(clean).modality != "image":
        return
    kind, _, level = change.partition(":")
    columns = st.columns(2, gap="small", vertical_alignment="bottom")
    with columns[0]:
        st.selectbox(
            "Change the target's pictures", [AS_THEY_ARE, *KINDS],
            index=[AS_THEY_ARE, *KINDS].index(kind) if kind in KINDS else 0,
            format_func=lambda one: f"{one}: {KINDS[one]}" if one else "as they are",
            key=f"gap_kind:{target}", on_change=_change, args=(target,),
            help="Changes all target pictures, for training and test, to create a gap to the source.",
        )  # fmt: skip
    with columns[1]:
        st.select_slider(
            "Severity", list(range(1, MOST + 1)), value=int(level) if level.isdigit() else USUAL,
            key=f"gap_severity:{target}", on_change=_change, args=(target,),
            disabled=not kind, help="1 is hardly visible; at 5 pictures are hard to recognise.",
        )  # fmt: skip


def _change(target: str) -> None:
    # The keys contain the target, so that another target gets new widgets that show its own change.
    clean = target.partition(MARK)[0]
    kind, level = st.session_state[f"gap_kind:{target}"], st.session_state[f"gap_severity:{target}"]
    choose(target=f"{clean}{MARK}{kind}:{level}" if kind else clean)

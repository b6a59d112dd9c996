"""What networks that read from left to right write after a beginning, before and after they learned their target."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.kinds.text.escaped import BOX, html
from pages.parts.common.network_questions import ask_network
from pages.parts.common.titles import in_words
from transfer import catalog
from transfer.errors import LabError
from transfer.lab import Run

MOST_LETTERS, SHOWN = 2_000, 4_000
NAMES = {"before": "Before transfer", "after": "After transfer"}


def writing(runs: list[Run]) -> None:
    """A beginning, a button, and for each network that can write two continuations; nothing when none can."""
    able = [run for run in runs if can_write(run)]
    if not able:
        return
    st.subheader("Let it write", anchor=False)
    st.caption(
        "What writes is the part of the network below the head: as it was when the run began, and as it is now. "
        "Learning to tell classes apart usually makes it write worse, and frozen stages write the same. The strategy "
        "Language model first reads the target's texts before it learns classes."
    )
    with st.form("writing", border=False):
        begun = st.text_area("Begin a sentence", key="begun", max_chars=MOST_LETTERS, height=80)
        left, right = st.columns(2)
        temperature = left.slider(
            "Temperature", 0.0, 2.0, 0.8, 0.1, key="temperature",
            help="0: always the likeliest next piece, which soon repeats itself. Higher values surprise more.",
        )  # fmt: skip
        seed = right.number_input("Seed", 0, 9999, 0, key="writing_seed", help="Equal seeds write equal texts.")
        if st.form_submit_button("Write", icon=":material/edit:"):
            st.session_state["writes"] = {"text": begun, "temperature": temperature, "seed": int(seed)}
    asked = st.session_state.get("writes")
    if asked is not None:
        for run in able:
            _written(run, asked)


def can_write(run: Run) -> bool:
    """Whether the run's backbone reads from left to right."""
    try:
        return catalog.backbone(run.experiment.backbone).language == "causal"
    except LabError:  # its file is gone
        return False


def _written(run: Run, asked: dict[str, Any]) -> None:
    st.markdown(f"**{in_words(run.experiment)}**")
    found = ask_network("write", "writing ...", run=run.id, **asked)
    if found is None:
        return
    for column, (name, title) in zip(st.columns(2, gap="medium"), NAMES.items(), strict=True):
        said = found[name]
        with column:
            st.metric(
                f"{title}, bits a character", f"{said['bits']:.2f}",
                help=f"On the same {found['characters']:,} characters of the run's test texts; lower is better. About "
                "6.6 is guessing among a hundred characters.",
            )  # fmt: skip
            st.html(f'<div style="{BOX}">{html(asked["text"].rstrip() + said["text"], SHOWN)}</div>')

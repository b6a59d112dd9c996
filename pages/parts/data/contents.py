"""What every data set contains, whatever its kind: the split, and how far it is from another."""

from __future__ import annotations

import streamlit as st

from pages.kinds import kind_of, shows
from pages.parts.common.background_questions import answered
from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.form import chosen
from transfer import catalog
from transfer.datasets import Dataset
from transfer.lab.data_questions import Answer, Question

CONFIG = {"displaylogo": False, "displayModeBar": False}


def contents(dataset: Dataset, seed: int) -> Answer | None:
    """The answer about the data set, or None while it is being computed."""
    return answered(
        Question("look", (dataset.key,), {"seed": seed}), f"reading and counting the {kind_of(dataset.key).nouns}"
    )


def split(dataset: Dataset, seed: int) -> None:
    """How many samples of each class are in which split."""
    answer = contents(dataset, seed)
    if answer is None or answer.found is None:
        return
    counts = answer.found["counts"]
    total = sum(map(sum, counts.values()))
    for column, (part, use) in zip(
        st.columns(3),
        {
            "train": "updates the weights",
            "validation": "chooses the epoch",
            "test": "used only once, at the end",
        }.items(),
        strict=True,
    ):
        column.metric(f"{part.capitalize()}: {use}", f"{sum(counts[part]):,}", f"{sum(counts[part]) / total:.0%}",
                      delta_color="off", delta_arrow="off")  # fmt: skip
    rows = [{"Class": name, **{part.capitalize(): counts[part][place] for part in counts}}
            for place, name in enumerate(answer.found["classes"])]  # fmt: skip
    st.dataframe(rows, hide_index=True, width="stretch", height="content" if len(rows) <= 12 else 450)
    st.caption(
        f"Seed {seed} always gives the same split, on every machine: fingerprint "
        f"`{answer.found['fingerprint'][:16]}`. Splits that come with the data set are kept; otherwise a quarter of "
        "each class is for testing, and 15 % of the rest for validation."
    )


def backbone(label: str, usual: str, key: str, kind: str) -> str:
    """A backbone to use that reads samples of that kind, by default the usual one."""
    known = {name: one for name, one in catalog.backbones().items() if one.modality == kind}
    words = told_apart(known, lambda one: known[one].title)
    place = list(words).index(usual) if usual in words else 0
    found: str = st.selectbox(label, list(words), place, format_func=words.__getitem__, key=key)
    return found


def distance(dataset: Dataset, seed: int) -> None:
    """How far this data set is from another one."""
    from transfer.insight import data

    known, nouns = catalog.datasets(), kind_of(dataset.key).nouns
    every = (*catalog.own_datasets(), *known.values())
    others = [one.key for one in every if one.key != dataset.key and one.modality == dataset.modality]
    usual = chosen()["source"] if chosen()["source"] in others else others[0]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = told_apart(others, lambda one: known[one].title)
        other = st.selectbox("From", others, others.index(usual), format_func=words.__getitem__)
        usual_network = shows(dataset.modality).USUAL["backbone"]
        network = backbone("Features of", usual_network, key=f"distance_backbone:{nouns}", kind=dataset.modality)
        asked = (dataset.key, other, network, seed)
        if st.button("Compare", icon=":material/compare_arrows:"):
            st.session_state["compared"] = asked
    if st.session_state.get("compared") != asked:
        st.caption(f"Features of up to 500 {nouns} of each are computed once and cached, for runs too. Data sets or a "
                   "network that are not on this machine yet will be downloaded.")  # fmt: skip
        return
    question = Question("distance", (dataset.key, other), {"backbone": network, "seed": seed})
    answer = answered(question, "computing features of both")
    if answer is None or answer.found is None:
        return
    found = answer.found
    st.markdown(f"**{data.about_distance(found, catalog.backbone(network).title)}**")
    left, right = st.columns(2)
    left.metric("Proxy A-distance, 0 to 2", f"{found['a_distance']:.2f}",
                f"up to {found['a_distance_chance']:.2f} by chance", delta_color="off", delta_arrow="off")  # fmt: skip
    right.metric("MMD, squared", f"{found['mmd']:.4f}", f"up to {found['mmd_chance']:.4f} by chance",
                 delta_color="off", delta_arrow="off")  # fmt: skip
    st.caption(
        f"{found['pictures'][0]} and {found['pictures'][1]} {nouns}. A small distance does not guarantee transfer: "
        "the classes may still be arranged differently. Chance: 95th percentile over 20 shuffles."
    )

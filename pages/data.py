"""Data: what a data set contains before anything is trained on it, and how to add your own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.kinds import kind_of, own_data, shows
from pages.parts.choose import cards
from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.entry import through_app
from pages.parts.common.form import choose, chosen
from pages.parts.data import add_own
from transfer import catalog
from transfer.counted import is_here
from transfer.datasets import Dataset

LAB = "pages/lab.py"


def pick(own: list[Dataset]) -> Dataset | None:
    """The data set on show: the newest upload, else the one last chosen, else the experiment's target."""
    known = {one.key: one for one in (*own, *catalog.datasets().values())}
    if (target := catalog.datasets().get(chosen()["target"])) is not None:
        known.setdefault(target.key, target)
    if (fresh := st.session_state.pop("data_next", None)) in known:
        st.session_state["data_key"] = fresh
    if st.session_state.get("data_key") not in known:
        st.session_state["data_key"] = chosen()["target"] if chosen()["target"] in known else next(iter(known))
    words = told_apart(known, lambda one: known[one].title)
    key = st.selectbox("Data set", list(words), format_func=words.__getitem__, key="data_key")
    return known.get(key)


def learn(dataset: Dataset) -> None:
    """Makes it the experiment's target; for own samples, a pretrained backbone of their kind is chosen."""
    changes: dict[str, Any] = {"target": dataset.key, "without": ()}
    network = catalog.backbones().get(chosen()["backbone"])
    if dataset.kept or network is None or network.modality != dataset.modality:
        changes |= {**shows(dataset.modality).USUAL, "labels_per_class": None, "image_size": None, "intake": {}}
    elif chosen()["source"] == dataset.key:
        changes["source"] = None
    choose(**changes)
    st.session_state["to_the_lab"] = True


def about(dataset: Dataset) -> None:
    """Facts about the data set, and its buttons."""
    facts = cards.facts(dataset)
    st.caption(f"{facts} · `{dataset.key}` · {dataset.summary} {dataset.reference}, {dataset.licence}.")
    own = own_data(dataset.modality)
    if own is not None:
        own.how_it_was_read(dataset)
    if dataset.warning:
        st.caption(f":material/info: {dataset.warning}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Learn this", type="primary", icon=":material/science:", on_click=learn, args=(dataset,),
                  help="Makes it the target of the experiment and opens the Lab.")  # fmt: skip
        if own is not None and ":" in dataset.key and "~" not in dataset.key:
            words = "Forget" if dataset.key.startswith(("folder:", "texts:")) else "Remove"
            nouns = kind_of(dataset.key).nouns
            with st.popover(words, type="tertiary", icon=":material/delete:"):
                gone = f"This deletes the {nouns}" if words == "Remove" else f"The {nouns} stay where they are"
                st.caption(f"{gone}. Runs that used them stay on the Runs page.")
                st.button(f"{words} {dataset.title}", on_click=own.remove, args=(dataset.key,))


def fetched(dataset: Dataset) -> bool:
    """Whether it may be read now; a download needs a click first."""
    if is_here(dataset) or st.session_state.get("fetch") == dataset.key:
        return True
    st.info(f"{dataset.title} is not here yet: {dataset.download_mb:g} MB to download.", icon=":material/download:")
    if st.button(f"Download {dataset.download_mb:g} MB and look"):
        st.session_state["fetch"] = dataset.key
        st.rerun()
    return False


through_app()
if st.session_state.pop("to_the_lab", False):
    st.switch_page(LAB)
st.header("Data", anchor=False)
mine = catalog.own_datasets()
add_own.panel(not mine)
dataset = pick(mine)
if dataset is not None:
    about(dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        views = shows(dataset.modality).VIEWS
        if st.session_state.get("data_view") not in views:
            st.session_state["data_view"] = next(iter(views))  # of another kind
        view = st.segmented_control("View", list(views), required=True, key="data_view")
        seed = st.number_input("Seed of the split", 0, 2**31 - 1, chosen()["seed"], width=160, key="data_seed")
    if fetched(dataset):
        views[str(view)](dataset, int(seed))

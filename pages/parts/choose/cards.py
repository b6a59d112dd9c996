"""Cards that show the current choices, and galleries for changing them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import groupby
from typing import Any, Literal

import streamlit as st

from pages.kinds import kind_of, shows
from pages.parts.choose import networks
from pages.parts.choose.class_counts import Counts
from pages.parts.choose.options import source_matters
from pages.parts.common import stages
from pages.parts.common.form import choose, chosen, experiment
from transfer import catalog, modalities
from transfer.datasets import Dataset
from transfer.insight import plan

TITLES = {
    "target": "What should be learned?",
    "source": "What should be learned first?",
    "backbone": "Which network?",
    "strategy": "How is knowledge transferred?",
}
NEEDS = {
    "source data": "a source data set",
    "source head": "the source's head",
    "same classes": "the same classes in both",
    "source or labels": "a source of the same classes, or some labels",
    "teacher": "a teacher",
    "class names": "a backbone that reads words",
}
COLUMNS = 2
FEW_CLASSES = 12


def summary(counted: Counts | None) -> None:
    """The cards of the chosen data, backbone and strategy."""
    _data_card(counted)
    _backbone_card()
    _strategy_card(counted)


def _head(kind: str, line: str, heading: str) -> None:
    """A card's first row: its heading, the current choice, and a button to change it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
        st.markdown(f":gray[{heading}] **{line}**")
        st.button("Change", key=f"change:{kind}", type="tertiary", on_click=_open, args=(kind,),
                  icon=":material/swap_horiz:", help=TITLES[kind])  # fmt: skip


def _data_card(counted: Counts | None) -> None:
    fields = chosen()
    target = catalog.datasets().get(fields["target"])
    with st.container(border=True, gap="xsmall", key="card_data"):
        if target is None:
            _head("target", f"{fields['target']} (not installed)", "Target")
            return
        _head("target", target.title, "Target")
        _sheet(target)
        st.caption(_sizes(target, counted), help=target.summary + (f" {target.warning}" if target.warning else ""))
        source = catalog.datasets().get(fields["source"] or "")
        _head("source", source.title if source else "none", "Source")
        if source and not source_matters(fields):
            st.caption(":material/info: Not used: this strategy starts from random weights.")
        else:
            st.caption(facts(source) if source else "The pretrained weights are transferred.")


def _backbone_card() -> None:
    network = catalog.backbones().get(chosen()["backbone"])
    with st.container(border=True, gap="xsmall", key="card_backbone"):
        if network is None:
            _head("backbone", f"{chosen()['backbone']} (not installed)", "Backbone")
            return
        _head("backbone", network.title, "Backbone")
        st.caption(networks.facts(network), help=f"{network.summary} {network.reference}")


def _fates(counted: Counts | None) -> None:
    """What will happen to each stage, if the choices work together."""
    asked, _ = experiment()
    if asked is None:
        return
    epochs = counted.epochs(asked) if counted else asked.epochs or 20
    stages.plan(plan.fates(asked, epochs))


def _strategy_card(counted: Counts | None) -> None:
    strategy = catalog.strategies().get(chosen()["strategy"])
    with st.container(border=True, gap="xsmall", key="card_strategy"):
        if strategy is None:
            _head("strategy", f"{chosen()['strategy']} (not installed)", "Strategy")
            return
        _head("strategy", strategy.title, "Strategy")
        st.caption(strategy.sentence)
        _fates(counted)
        with st.expander("The maths and the paper", type="compact"):
            st.latex(strategy.formula)
            st.caption(strategy.reference)


def _sheet(dataset: Dataset, width: Literal["stretch", "content"] = "stretch") -> None:
    if not shows(dataset.modality).samples(dataset, width):
        when = "are on the Data page" if dataset.kept else "can be seen once it is downloaded"
        st.caption(f":material/image: Samples {when}.")


def facts(dataset: Dataset) -> str:
    """Samples, classes, size and download in one line."""
    size = shows(dataset.modality).size(dataset)
    nouns = modalities.kind(dataset.modality).nouns
    download = f" · {dataset.download_mb:g} MB to download" if dataset.download_mb else ""
    return f"{dataset.count:,} {nouns} · {len(dataset.classes)} classes{size and f' · {size}'}{download}"


def _sizes(dataset: Dataset, counted: Counts | None) -> str:
    if counted is None:
        return facts(dataset)
    a_class = counted.train
    each = f"{min(a_class)}" if min(a_class) == max(a_class) else f"{min(a_class)} to {max(a_class)}"
    return (
        f"{facts(dataset)} · {each} per class for training, "
        f"{sum(counted.validation):,} for validation, {sum(counted.test):,} for the test"
    )


def _open(kind: str) -> None:
    st.session_state["gallery"] = kind


def _pick(kind: str, key: str | None) -> None:
    choose(**{kind: key})
    target = catalog.datasets().get(chosen()["target"])
    network = catalog.backbones().get(chosen()["backbone"])
    if kind == "target" and target and network and target.modality != network.modality:
        # Neither backbone nor source can read it.
        choose(**shows(target.modality).USUAL, image_size=None, intake={})
    if kind == "backbone" and key and ":" in key:
        # Its own weights are the reason to choose it, and a source would replace them; its size is fixed.
        choose(source=None, image_size=None, intake={})
    _close()


def _close() -> None:
    st.session_state.pop("gallery", None)


def gallery() -> None:
    """The open dialog, if any; it stays open during reruns that a live run causes."""
    kind = st.session_state.get("gallery")
    if kind:
        st.dialog(TITLES[kind], width="large", on_dismiss=_close)(partial(_gallery, kind))()


def _gallery(kind: str) -> None:
    if "gallery" not in st.session_state:
        st.rerun()  # something was chosen
    if kind == "backbone":
        networks.own()
    choices = _choices(kind)
    if len(choices) > FEW_CLASSES:
        wanted = st.text_input("Filter", key="gallery_filter", placeholder="part of a name", max_chars=40)
        choices = [one for one in choices if wanted.lower() in f"{one[0]} {one[1]}".lower()]
        if kind == "backbone":
            choices = networks.sorted_and_filtered(choices)
        if not choices:
            st.caption("No matches.")
    for family, several in groupby(choices, lambda one: _family(kind, one[0])):
        if family:
            st.markdown(f"##### {family}")
        together = list(several)
        for start in range(0, len(together), COLUMNS):
            columns = st.columns(COLUMNS)
            for column, (key, title, draw) in zip(columns, together[start : start + COLUMNS], strict=False):
                with column, st.container(border=True, height="stretch", gap="xsmall"):
                    _choice(kind, key, title, draw)


def _family(kind: str, key: str | None) -> str:
    if kind == "target" and key:
        return kind_of(key).nouns.capitalize()
    return catalog.strategies()[key].family if kind == "strategy" and key else ""


def _choice(kind: str, key: str | None, title: str, draw: Callable[[], object]) -> None:
    now = chosen()[kind] == key
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
        st.markdown(f"**{title}**")
        words = "Chosen" if now else "Choose"
        st.button(words, key=f"pick:{kind}:{key}", disabled=now, icon=":material/check:" if now else None,
                  on_click=_pick, args=(kind, key))  # fmt: skip
    draw()


def _choices(kind: str) -> list[tuple[str | None, str, Callable[[], object]]]:
    """Key, title and content of the card, for every choice of that kind."""
    found: list[tuple[str | None, str, Callable[[], object]]] = []
    if kind == "source":
        found.append((None, "No source", partial(st.caption, "Use the backbone's pretrained weights, if it has any.")))
    reads = kind_of(chosen()["target"]).key
    if kind in ("target", "source"):
        every = [*catalog.own_datasets(), *catalog.datasets().values()]
        every = [one for one in every if kind == "target" or one.modality == reads]
        every.sort(key=lambda one: one.modality)
        found += [(one.key, one.title, partial(_draw_dataset, one)) for one in every]
    elif kind == "backbone":
        found += [(one.key, one.title, partial(networks.draw, one)) for one in networks.every(reads)]
    else:
        found += [(key, one.title, partial(_draw_strategy, one)) for key, one in catalog.strategies().items()]
    return found


def _draw_dataset(dataset: Dataset) -> None:
    _sheet(dataset, "content")
    st.markdown(facts(dataset))
    st.caption(f"{dataset.summary} {dataset.reference}, {dataset.licence}.")
    if dataset.warning:
        st.caption(f":material/info: {dataset.warning}")


def _draw_strategy(strategy: Any) -> None:
    st.caption(strategy.sentence)
    st.markdown(f"Frozen: {strategy.frozen}")
    if further := [need for need in strategy.needs if need != "weights"]:
        st.caption(f":material/info: Needs {', '.join(NEEDS[need] for need in further)}.")
    st.latex(strategy.formula)
    st.caption(strategy.reference)

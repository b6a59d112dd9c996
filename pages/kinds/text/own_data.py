"""Adding your own texts, how they were read, and which columns hold text and label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from transfer import settings
from transfer.datasets import Dataset
from transfer.datasets import own_texts as paths
from transfer.errors import LabError
from transfer.insight.words import counted
from transfer.received import upload_limits
from transfer.received.printable import printable, printable_text
from transfer.texts import own, uploads
from transfer.texts.files import reading
from transfer.texts.files.typed import NONE, Choices

WAYS = ("Files or a zip", "Path on this machine")
AUTO = "automatic"
NO_SPLIT = "no column"
TYPES = ["csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "zip"]
_LOOKED = 6
# So few are all named in the sentence.
_IN_WORDS = 4


def panel() -> None:
    """The ways to add texts; nothing is kept before the person has seen how it is read."""
    way = st.segmented_control("From", WAYS, default=WAYS[0], required=True, key="texts_way",
                               label_visibility="collapsed")  # fmt: skip
    st.caption(
        "A CSV, TSV or JSON file with a column for the text and one for the label, or .txt files in one folder per "
        "class. Files and folders for training, validation and test are recognised by their names."
    )
    (_path if way == WAYS[1] else _upload)()


def _upload() -> None:
    # A new key after each upload empties the widget.
    count = st.session_state.setdefault("texts_count", 0)
    most = min(settings.upload_megabytes(), int(st.get_option("server.maxUploadSize")))
    given: Any = st.file_uploader(
        WAYS[0], type=TYPES, accept_multiple_files=True, key=f"texts:{count}", max_upload_size=most,
        label_visibility="collapsed",
    )  # fmt: skip
    st.caption(upload_limits.limits(pictures=False), help="Set by TRANSFER_UPLOAD_... on the server. Texts stay on "
               "this machine.")  # fmt: skip
    if not given:
        return
    files = {one.name: one for one in given}
    if len(files) < len(given):
        st.error("Two files have the same name. Rename one of them.", icon=":material/block:")
        return
    which = ",".join(one.file_id for one in given)
    chosen, found = _previewed(
        which, lambda choices: uploads.looked(files, choices), lambda: reading.columns_in_files(files)
    )
    if found is None:
        return
    with st.form(f"texts_form:{which}", border=False):
        name = st.text_input("Name", uploads.suggested(given[0].name), max_chars=40,
                             help="The data set's key will be own_texts:<name>.")  # fmt: skip
        if not st.form_submit_button("Add", type="primary", icon=":material/upload:"):
            return
    try:
        uploads.take(name, files, chosen)
    except LabError as problem:
        st.error(printable_text(str(problem)), icon=":material/block:")
        return
    st.session_state["texts_count"] += 1
    st.session_state.pop("texts_looked", None)
    st.session_state["data_next"] = f"own_texts:{name}"
    st.rerun()


def _path() -> None:
    roots = settings.folder_roots()
    with st.form("texts_path_form", border=False):
        path = st.text_input("Path", placeholder="/data/reviews.csv", max_chars=1000,
                             help="A file, a zip or a folder. It stays there.")  # fmt: skip
        if roots:
            st.caption(f"Allowed here (TRANSFER_FOLDERS): {', '.join(map(str, roots))}")
        if st.form_submit_button("Read", icon=":material/folder_open:"):
            st.session_state["texts_path"] = path.strip()
    rest = st.session_state.get("texts_path")
    if rest is None:
        return
    try:
        bare, told = paths.apart(rest)
        place = paths.where(bare)
    except LabError as problem:
        st.error(printable_text(str(problem)), icon=":material/block:")
        return
    chosen, found = _previewed(
        rest, lambda choices: own.looked(place, choices), lambda: reading.columns_at(place), told, keep=False
    )
    if found is not None and st.button("Add", type="primary", icon=":material/folder_open:", key="texts_path_add"):
        key = paths.together(bare, chosen)
        paths.remember(key)
        del st.session_state["texts_path"]
        st.session_state["data_next"] = f"texts:{key}"
        st.rerun()


def _previewed(
    which: str,
    look: Callable[[Choices], own.Known],
    columns: Callable[[], tuple[str, ...]],
    told: Choices = Choices(),  # noqa: B008  # frozen
    keep: bool = True,
) -> tuple[Choices, own.Known | None]:
    """The columns that are chosen on the page, and what the files then hold; None where they are refused.

    Args:
        which: tells these files from others.
        look: reads them.
        columns: names of the columns to choose from, for files that are refused.
        told: the choices to begin with.
        keep: whether the page remembers what `look` found; not for what may change meanwhile.
    """
    kept: dict[tuple[str, Choices], own.Known | str] = st.session_state.setdefault("texts_looked", {})
    chosen = _held(which, told)
    if not keep or (which, chosen) not in kept:
        with st.spinner("reading the texts ..."):
            try:
                kept[which, chosen] = look(chosen)
            except LabError as problem:
                kept[which, chosen] = str(problem)
        while len(kept) > _LOOKED:
            del kept[next(iter(kept))]
    found = kept[which, chosen]
    if isinstance(found, str):
        st.error(printable_text(found), icon=":material/block:")
        choose(which, columns(), chosen)
        return chosen, None
    st.info(printable_text(" ".join(found.said)), icon=":material/rule:")
    choose(which, found.columns, chosen, found.chosen)
    left(found)
    return chosen, found


def _held(which: str, told: Choices) -> Choices:
    """What the widgets of `choose` hold, which are drawn below what they lead to."""
    held = st.session_state
    text, label = held.get(f"texts_text:{which}"), held.get(f"texts_label:{which}")
    split = held.get(f"texts_split:{which}")
    if text is None and label is None and split is None:
        return told
    return _chosen(text or (), label, split)


def _chosen(text: Any, label: str | None, split: str | None) -> Choices:
    plain = {None: "", AUTO: "", NO_SPLIT: NONE}
    return Choices(tuple(text), plain.get(label, str(label)), plain.get(split, str(split)))


def choose(which: str, columns: tuple[str, ...], chosen: Choices, found: Choices | None = None) -> Choices:
    """Widgets that choose the columns of text, label and part; nothing for folders, which have none.

    Args:
        which: tells these widgets from others.
        columns: to choose from.
        chosen: so far.
        found: what is used where nothing is chosen, to be shown.
    """
    if not columns:
        return chosen
    usual = found or Choices()
    first, second, third = st.columns(3)
    text = first.multiselect(
        "Text", columns, [one for one in chosen.text if one in columns], key=f"texts_text:{which}",
        placeholder=f"{AUTO}: {printable(' + '.join(usual.text))}" if usual.text else AUTO, format_func=printable,
        help="Several columns are joined, in this order.",
    )  # fmt: skip

    def named(one: str) -> str:
        return f"{AUTO}: {printable(usual.label)}" if one == AUTO and usual.label else printable(one)

    offered = [AUTO, *columns]
    label = second.selectbox("Label", offered, offered.index(chosen.label) if chosen.label in columns else 0,
                             key=f"texts_label:{which}", format_func=named)  # fmt: skip
    offered = [AUTO, NO_SPLIT, *columns]
    at = offered.index(chosen.split) if chosen.split in columns else int(chosen.split == NONE)
    split = third.selectbox("Split", offered, at, key=f"texts_split:{which}", format_func=printable,
                            help="Says which texts are for training, validation and test.")  # fmt: skip
    return _chosen(text, label, split)


def left(found: own.Known) -> None:
    """What was left out, line by line."""
    if found.left_out_count <= _IN_WORDS:
        return
    with st.expander(f"{counted(found.left_out_count, 'entry', 'entries')} left out", icon=":material/report:"):
        st.dataframe([{"Where": printable(where), "Why": printable(why)} for where, why in found.left_out],
                     hide_index=True, width="stretch")  # fmt: skip
        if found.left_out_count > len(found.left_out):
            st.caption(f"The first {len(found.left_out):,} of them.")


def how_it_was_read(dataset: Dataset) -> None:
    """How a user's texts were read, with a form to correct it; nothing for texts that are not the user's."""
    if dataset.key.partition(":")[0] not in ("texts", "own_texts"):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/rule: **How it was read** · {printable_text(' '.join(dataset.understood))}")
        try:
            place, before = paths.place_of(dataset.key)
            found = own.looked(place, before)
        except LabError:
            return  # gone since the page was drawn
        if found.columns:
            with st.popover("Correct", type="tertiary", icon=":material/edit:"):
                _correct(dataset.key, place, before, found)
    left(found)


def _correct(key: str, place: Any, before: Choices, found: own.Known) -> None:
    with st.form(f"texts_reading:{key}", border=False):
        wanted = choose(f"correct:{key}", found.columns, before, found.chosen)
        if not st.form_submit_button("Apply", type="primary"):
            return
    try:
        own.looked(place, wanted)
        prefix, _, rest = key.partition(":")
        if prefix == "own_texts":
            uploads.choose(rest, wanted)
        else:
            rest = paths.together(paths.apart(rest)[0], wanted)
            paths.remember(rest)
            st.session_state["data_next"] = f"texts:{rest}"
    except LabError as problem:
        st.error(printable_text(str(problem)), icon=":material/block:")
        return
    own.afresh()
    st.rerun()


def remove(key: str) -> None:
    """Removes own texts: an upload with its files, a path only from the choices."""
    prefix, _, rest = key.partition(":")
    if prefix == "own_texts":
        uploads.remove(rest)
    else:
        paths.forget(rest)

"""How a user's folder was read, and the form to correct it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from transfer.errors import LabError
from transfer.pictures import own
from transfer.pictures.folders import listing
from transfer.pictures.layout.kept import keep, kept
from transfer.pictures.layout.offered import Offered, offered
from transfer.pictures.layout.tree import read
from transfer.pictures.layout.typed import Corrections
from transfer.reading import folder_of
from transfer.received.printable import printable, printable_text

AUTO = "automatic"
PARTS = (AUTO, "train", "validation", "test", "left out")
CLASSES = {AUTO: None, "the folders": "folders", "their sub-folders": "sub-folders"}
WAYS = {AUTO: None, "folders": "folders", "a table": "table"}


def how_it_was_read(key: str, sentences: tuple[str, ...]) -> None:
    """How a user's data set was read, with a form to correct it.

    Args:
        key: of the data set, ``folder:`` or ``upload:``.
        sentences: the description from its listing.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f":material/folder_managed: **How it was read** · {printable_text(' '.join(sentences))}")
        with st.popover("Correct", type="tertiary", icon=":material/edit:"):
            if correct(key):
                st.rerun()


def correct(key: str) -> bool:
    """The form for correcting a folder or an upload; returns whether it was just corrected."""
    try:
        folder = folder_of(key)
        names = [path for _, path in read(folder).top.walk()]
        before = kept(folder)
    except (LabError, OSError) as problem:
        st.warning(str(problem), icon=":material/block:")
        before, names, folder = Corrections(), [], None
    with st.form(f"reading:{key}", border=False):
        values = fields(f"reading:{key}", offered(names), before)
        pressed = st.form_submit_button("Apply", type="primary")
        forget = st.form_submit_button("Reset", disabled=not before.given)
    if folder is None or not (pressed or forget):
        return False
    try:
        wanted = Corrections() if forget else Corrections(**values)
        if not forget:
            listing(folder, wanted)
        keep(folder, wanted)
    except LabError as problem:
        st.error(str(problem), icon=":material/block:")
        return False
    own.afresh()
    return True


def fields(key: str, names: Offered, before: Corrections) -> dict[str, Any]:
    """The fields of a correction, inside a form; returns the choices as `Corrections` takes them.

    Args:
        key: of the widgets.
        names: the possible choices.
        before: the current corrections.
    """
    first, second = st.columns(2)
    way = first.selectbox("Labels come from", list(WAYS), _at(WAYS, before.way), key=f"{key}:way")
    classes = second.selectbox("Classes are", list(CLASSES), _at(CLASSES, before.classes), key=f"{key}:classes")
    root = _one_of(first, "Folder to read", names.roots, before.root, f"{key}:root")
    table = _one_of(second, "Table", names.tables, before.table, f"{key}:table")
    found: dict[str, Any] = {"way": WAYS[way], "classes": CLASSES[classes], "root": root, "table": table}
    if names.tables:
        for place, column in zip(st.columns(3), ("file", "label", "part"), strict=True):
            held = getattr(before, f"{column}_column") or ""
            found[f"{column}_column"] = place.text_input(
                f"Column of the {column}", held, placeholder=AUTO, key=f"{key}:{column}", max_chars=200,
                help="Its name, or its number, counted from 1. Empty: automatic.",
            ).strip() or None  # fmt: skip
    parts = {}
    columns = st.columns(min(3, max(1, len(names.parts))))
    for number, name in enumerate(names.parts):
        part = columns[number % len(columns)].selectbox(
            f"{printable(name)} is", PARTS, PARTS.index(before.parts.get(name, AUTO)), key=f"{key}:part:{name!a}",
        )  # fmt: skip
        if part != AUTO:
            parts[name] = part
    return found | {"parts": parts}


def _at(choices: dict[str, str | None], value: str | None) -> int:
    return list(choices.values()).index(value)


def _one_of(place: Any, label: str, names: tuple[str, ...], value: str | None, key: str) -> str | None:
    """A choice among names, or none; the current one is still offered even if it is gone."""
    known = [*names, *([value] if value and value not in names else [])]
    found = place.selectbox(label, [None, *known], known.index(value) + 1 if value else 0, key=key,
                            format_func=lambda one: AUTO if one is None else printable(one))  # fmt: skip
    return str(found) if found else None

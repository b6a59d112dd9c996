"""Adding your own pictures: an archive, a folder or files, on this machine or through the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.kinds.image import folder_layout
from transfer import catalog, settings
from transfer.datasets import Dataset, tfds
from transfer.datasets import folder as folders
from transfer.errors import LabError
from transfer.insight.words import counted
from transfer.pictures import uploads
from transfer.pictures.layout.offered import offered
from transfer.pictures.layout.typed import Corrections
from transfer.received import upload_limits
from transfer.received.printable import printable, printable_text

WAYS = ("Zip archive", "Folder", "Files with labels.csv", "Folder on this machine", "TensorFlow Datasets")
SHOWN = 200


def panel() -> None:
    """The ways to add pictures."""
    way = st.segmented_control("From", WAYS, default=WAYS[0], required=True, key="upload_way",
                               label_visibility="collapsed")  # fmt: skip
    if way == WAYS[4]:
        _by_name()
        return
    st.caption(
        "One folder per class, or a CSV table of file names and labels with the pictures. Folders and tables for "
        "training, validation and test are recognised by their names."
    )
    if way == WAYS[3]:
        _path()
        return
    accept: Any = {WAYS[0]: False, WAYS[1]: "directory", WAYS[2]: True}[str(way)]
    # A new key after each upload empties the widget.
    count = st.session_state.setdefault("upload_count", 0)
    most = min(settings.upload_megabytes(), int(st.get_option("server.maxUploadSize")))
    given: Any = st.file_uploader(
        str(way), type="zip" if way == WAYS[0] else None, accept_multiple_files=accept,
        key=f"upload:{way}:{count}", max_upload_size=most, label_visibility="collapsed",
    )  # fmt: skip
    st.caption(upload_limits.limits(), help="Set by TRANSFER_UPLOAD_... on the server. Formats: JPEG, PNG, HEIC, "
               "AVIF, WebP, GIF, BMP, TIFF, JPEG 2000 and PPM. Pictures stay on this machine.")  # fmt: skip
    if given:
        _name_and_add(given)


def _name_and_add(given: Any) -> None:
    several = given if isinstance(given, list) else [given]
    refused = st.session_state.get("upload_refused")
    said: dict[str, Any] = {}
    first = several[0].name.split("/")[0] if isinstance(given, list) else given.name
    with st.form(f"upload_form:{several[0].file_id}", border=False):
        name = st.text_input(
            "Name", uploads.suggested(first), max_chars=40, help="The data set's key will be upload:<name>."
        )
        if refused and refused[0] == several[0].file_id:
            st.error(refused[1], icon=":material/block:")
            with st.expander("How it is read", icon=":material/edit:"):
                said = folder_layout.fields(several[0].file_id, offered(uploads.members(given)), Corrections())
        if not st.form_submit_button("Add", type="primary", icon=":material/upload:"):
            return
    if isinstance(given, list):
        files = [(one.name, one) for one in several]
        _take(several[0].file_id, lambda told: uploads.take_files(name, files, told, Corrections(**said)))
    else:
        _take(given.file_id, lambda told: uploads.take_archive(name, given, told, Corrections(**said)))


def _take(file: str, work: Callable[[uploads.Progress], uploads.Received]) -> None:
    bar = st.progress(0.0, "reading the files ...")
    last = [0.0]

    def told(done: int, total: int) -> None:
        share = done / total
        if share - last[0] >= 0.01 or done == total:
            last[0] = share
            bar.progress(share, f"{done:,} of {total:,} files")

    try:
        received = work(told)
    except LabError as problem:
        st.session_state["upload_refused"] = (file, str(problem))
        st.rerun()  # the form is drawn again, with the possible choices
    st.session_state.pop("upload_refused", None)
    left = [(printable(name), why) for name, why in received.left_out]
    st.session_state["upload_report"] = (received.name, received.pictures, left, received.said)
    st.session_state["upload_count"] += 1
    st.session_state["data_next"] = f"upload:{received.name}"
    st.rerun()


def how_it_was_read(dataset: Dataset) -> None:
    """What was just added and what was left out of it; how it was read, with a form to correct it."""
    name, pictures, left, said = st.session_state.get("upload_report") or ("", 0, [], ())
    if dataset.key == f"upload:{name}":
        st.success(f"{name}: {counted(pictures, 'picture')} added. {printable_text(' '.join(said))}",
                   icon=":material/check_circle:")  # fmt: skip
        if left:
            first = "; ".join(f"{one} ({why})" for one, why in left[:5])
            st.warning(
                f"{counted(len(left), 'file was', 'files were')} left out: {first}{' ...' if len(left) > 5 else '.'}",
                icon=":material/report:",
            )
    if dataset.understood:
        folder_layout.how_it_was_read(dataset.key, dataset.understood)


def _path() -> None:
    roots = settings.folder_roots()
    with st.form("folder_form", border=False):
        path = st.text_input("Path", placeholder="/data/flowers", max_chars=1000,
                             help="The pictures stay there; the lab caches decoded copies.")  # fmt: skip
        if roots:
            st.caption(f"Allowed here (TRANSFER_FOLDERS): {', '.join(map(str, roots))}")
        pressed = st.form_submit_button("Add", type="primary", icon=":material/folder_open:")
    if pressed:
        _open(path)
    if refused := st.session_state.get("folder_refused"):
        with st.expander("How it is read", icon=":material/edit:", expanded=True):
            corrected = folder_layout.correct(f"folder:{refused}")
        if corrected:
            _open(refused)


def _open(path: str) -> None:
    """Opens the folder and adds it to the choices; a folder that is refused can be corrected."""
    try:
        with st.spinner("reading the files ..."):
            found = catalog.dataset(f"folder:{path.strip()}")
    except LabError as problem:
        st.error(str(problem), icon=":material/block:")
        st.session_state["folder_refused"] = path.strip()
    else:
        st.session_state.pop("folder_refused", None)
        folders.remember(path.strip())
        st.session_state["data_next"] = found.key
        st.rerun()


def _by_name() -> None:
    with st.form("tfds_form", border=False):
        name = st.text_input("Name", placeholder="beans", max_chars=80,
                             help="See www.tensorflow.org/datasets/catalog.")  # fmt: skip
        st.caption("You see its size before anything is downloaded. Requires the package tensorflow-datasets.")
        if not st.form_submit_button("Add", type="primary", icon=":material/cloud_download:"):
            return
    try:
        with st.spinner("asking TensorFlow Datasets ..."):
            found = catalog.dataset(f"tfds:{name.strip()}")
    except LabError as problem:
        st.error(str(problem), icon=":material/block:")
        return
    st.session_state["data_next"] = found.key
    st.rerun()


def remove(key: str) -> None:
    """Removes own pictures: an upload with its files, a folder only from the choices."""
    prefix, _, rest = key.partition(":")
    if prefix == "upload":
        uploads.remove(rest)
    elif prefix == "tfds":
        tfds.forget(rest)
    else:
        folders.forget(rest)

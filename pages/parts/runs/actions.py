"""The actions for selected runs: open, compare, tag, note, archive, delete, run again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages.parts.common.form import choose
from pages.parts.common.lab import the_lab
from pages.parts.common.titles import in_words
from transfer.errors import LabError, RequestError
from transfer.experiment import Experiment, together
from transfer.insight.words import counted

if TYPE_CHECKING:
    from transfer.lab import Run

FEW = 5


def bar(selected: Sequence[str], kept: pd.DataFrame) -> None:
    """The actions for the selection, and the table as a file.

    Args:
        selected: ids of runs.
        kept: the visible rows, all columns.
    """
    runs = [run for key in selected[:FEW] if (run := the_lab().store.run(key))]
    with st.container(horizontal=True, vertical_alignment="center", key="actions"):
        if not selected:
            # No wider than its text, or the buttons at the table's right end would cover what follows.
            st.caption("Select rows to open, compare, tag, archive, delete or repeat them.", width="content")
        else:
            _ways(selected, runs)
        rows = kept[kept["run"].isin(selected)] if selected else kept
        st.download_button(
            f"CSV of {len(rows):,}", lambda: csv(rows), "runs.csv", "text/csv", key="csv", type="tertiary",
            icon=":material/download:", on_click="ignore", help="All settings and figures of these runs.",
        )  # fmt: skip
    undo()


def _ways(selected: Sequence[str], runs: Sequence[Run]) -> None:
    if len(selected) == 1 and runs:
        st.page_link("pages/lab.py", label="Open", icon=":material/open_in_new:", query_params={"run": selected[0]})
        st.page_link("pages/run.py", label="In depth", icon=":material/search_insights:",
                     query_params={"run": selected[0]})  # fmt: skip
        st.button("Change and run", key="change_run", on_click=_take_over, args=(runs[0],), icon=":material/tune:",
                  help="Opens its settings in the Lab, where you can change them.")  # fmt: skip
    else:
        st.page_link("pages/compare.py", label=f"Compare {len(selected)}", icon=":material/stacked_line_chart:",
                     query_params={"runs": ",".join(selected)})  # fmt: skip
    st.button("Run again", key="again", on_click=_again, args=(selected,), icon=":material/replay:",
              help="Queues the same experiment again, with the same seed.")  # fmt: skip
    with st.popover("Tag and note", icon=":material/sell:"):
        _remarks(selected)
    away = all((remark := the_lab().remarks.all().get(key)) and remark.archived for key in selected)
    st.button("Bring back" if away else "Archive", key="archive", on_click=_archive, args=(selected, not away),
              icon=":material/archive:", help="Hides these runs; Show archived brings them back.")  # fmt: skip
    with st.popover("Delete", icon=":material/delete:"):
        _delete(selected)


def _remarks(selected: Sequence[str]) -> None:
    known = the_lab().remarks.all()
    tags = sorted({tag for remark in known.values() for tag in remark.tags})
    common = [tag for tag in tags if all(key in known and tag in known[key].tags for key in selected)]
    key = ",".join(selected)
    given = st.multiselect("Tags", tags, default=common, accept_new_options=True, key=f"tags:{hash(key)}",
                           placeholder="Type a tag and press Enter")  # fmt: skip
    note = ""
    if len(selected) == 1:
        held = known[selected[0]].note if selected[0] in known else ""
        note = st.text_area("Note", held, key=f"note:{key}", max_chars=2_000, height=90)
    st.button("Save", key="keep_remarks", type="primary", on_click=_keep, args=(selected, common, given, note))


def _keep(selected: Sequence[str], before: Sequence[str], given: Sequence[str], note: str) -> None:
    """Adds and removes the tags that were changed; leaves alone those that only some of the runs have."""
    remarks = the_lab().remarks
    known = remarks.all()
    for key in selected:
        held = known[key].tags if key in known else ()
        tags = [tag for tag in held if tag in given or tag not in before]
        remarks.say(key, [*tags, *given], note if len(selected) == 1 else None)


def _delete(selected: Sequence[str]) -> None:
    """Asks for confirmation, and says which other runs were built on these."""
    lab = the_lab()
    heirs = {run.id: run for key in selected[:FEW] for run in lab.descendants(key) if run.id not in selected}
    st.markdown(f"Delete {_many(selected)}, with all curves and files?")
    if heirs:
        named = "; ".join(in_words(run.experiment) for run in list(heirs.values())[:3])
        named += "; ..." if len(heirs) > 3 else ""
        others = counted(len(heirs), "other run was", "other runs were")
        st.warning(
            f"{others} built on {'it' if len(selected) == 1 else 'them'}: {named}. These keep working: the files they "
            "need are kept until they are deleted too.",
            icon=":material/account_tree:",
        )
    st.caption("You can undo this for ten minutes. Queued and running runs are not deleted.")
    st.button("Delete", key="delete", type="primary", on_click=_remove, args=(selected,), icon=":material/delete:")


def _many(selected: Sequence[str]) -> str:
    return "this run" if len(selected) == 1 else f"{len(selected):,} runs"


def _remove(selected: Sequence[str]) -> None:
    gone = the_lab().remarks.remove(selected)
    left = len(selected) - len(gone)
    if left:
        st.session_state["trouble"] = (
            f"{left} of {len(selected)} runs are queued or running: stop or discard them first."
        )
    if gone:
        st.session_state["removed"] = (time.time(), gone)


def undo() -> None:
    """Offers to undo a deletion, for ten minutes."""
    from transfer.lab.remarks import UNDO_SECONDS

    when, gone = st.session_state.get("removed", (0.0, []))
    if not gone or time.time() - when > UNDO_SECONDS:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/delete: {_many(gone).capitalize()} {'was' if len(gone) == 1 else 'were'} deleted.",
                   width="content")  # fmt: skip
        st.button("Undo", key="undo", on_click=_restore, args=(gone,), icon=":material/undo:", type="tertiary")


def _restore(gone: Sequence[str]) -> None:
    the_lab().remarks.restore(gone)
    st.session_state.pop("removed", None)


def _archive(selected: Sequence[str], away: bool) -> None:
    the_lab().remarks.archive(selected, away)


def _again(selected: Sequence[str]) -> None:
    lab = the_lab()
    refused = []
    for key in selected:
        try:
            lab.submit(lab.run(key).experiment)
        except LabError as problem:
            refused.append(str(problem))
    if refused:
        st.session_state["trouble"] = f"{len(refused)} could not be queued: {refused[0]}"
    if len(selected) > len(refused):
        st.toast(f"{len(selected) - len(refused)} queued.", icon=":material/playlist_add:")


def _take_over(run: Run) -> None:
    """Opens the run's settings on the Lab page, without the run itself."""
    dump = run.experiment.model_dump()
    try:
        choose(**{name: dump[name] for name in Experiment.model_fields if name in dump})
    except RequestError as problem:
        st.session_state["trouble"] = str(problem)
        return
    st.session_state.update(go_to_lab=True, racing=False)


def csv(rows: pd.DataFrame) -> bytes:
    """All columns as CSV for a spreadsheet; times as dates."""
    written = rows.copy()
    for name in ("created", "started", "ended"):
        written[name] = pd.to_datetime(written[name].astype(float), unit="s", utc=True)
    for name in ("tags", "without"):
        written[name] = written[name].map(lambda several: together(several or []))
    return written.to_csv(index=False).encode()

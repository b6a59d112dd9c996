"""Try it: up to four trained networks classify a sample that you give."""

from __future__ import annotations

import streamlit as st

from pages.kinds import kind_of, shows
from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.entry import through_app
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import still_there
from pages.parts.common.titles import in_a_list
from transfer import catalog, settings
from transfer.lab import Run

MOST = 4
LOOKED_THROUGH = 200


def triable() -> dict[str, Run]:
    """The runs with a stored network, newest first."""
    return {run.id: run for run in the_lab().runs(LOOKED_THROUGH) if _left_a_network(run)}


def _left_a_network(run: Run) -> bool:
    left = run.state in ("finished", "stopped") and (settings.run_folder(run.id) / "weights.npz").exists()
    # The user's pictures may have been removed since; the names of the classes are then unknown.
    return left and catalog.datasets().get(run.experiment.target) is not None


def chosen(known: dict[str, Run]) -> list[Run]:
    """The networks to ask; they are part of the address."""
    asked = [one for one in (st.query_params.get("runs") or "").split(",") if one in known]
    if "networks" not in st.session_state:
        st.session_state["networks"] = asked[:MOST] or list(known)[:1]
    # A run may have been discarded meanwhile.
    st.session_state["networks"] = [one for one in st.session_state["networks"] if one in known]
    keys = st.multiselect(
        "Networks", list(known), key="networks", max_selections=MOST, placeholder="Choose up to four finished runs",
        format_func=told_apart(known, lambda key: in_a_list(known[key])).__getitem__,
        help="You learn most from runs that differ in a single setting, such as the strategy or the number of labels.",
    )  # fmt: skip
    st.query_params["runs"] = ",".join(keys)
    return [known[key] for key in keys]


def ask(runs: list[Run]) -> None:
    """A sample on the left, the networks' answers on the right."""
    from pages.parts.try_it.answers import warm

    kinds = {kind_of(run.experiment.target).key for run in runs}
    if len(kinds) > 1:
        st.info("These networks read different kinds of samples. Choose networks of one kind.", icon=":material/info:")
        return
    warm(runs)
    shows(kinds.pop()).try_it(runs)


through_app()
st.header("Try it", anchor=False)
known = triable()
if not known:
    st.info("No run has finished yet. Once one has, you can try its network here.", icon=":material/draw:")
    st.page_link("pages/lab.py", label="Open the lab and press Start", icon=":material/arrow_forward:")
elif runs := chosen(known):
    # A fragment of its own, so that a new picture does not search the runs again.
    st.fragment(still_there(ask))(runs)
else:
    st.info("Choose at least one network.", icon=":material/arrow_upward:")

"""One run in depth: its curves, its test, the inside of its network, and its background."""

from __future__ import annotations

import streamlit as st

from pages.kinds import kind_of, shows
from pages.parts.common.entry import through_app
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import alone_while_live
from pages.parts.common.titles import ICONS, in_words
from transfer import catalog, ids, settings
from transfer.errors import RequestError, UnknownKey
from transfer.insight import facts, words
from transfer.lab import Run
from transfer.seen import record

PARTS = {
    "curves": "Curves",
    "metrics": "Figures",
    "confusion": "Confusion",
    "mistakes": "Mistakes",
    "look": "Where it looked",  # or what else this kind of sample calls it
    "plane": "Embedding",
    "moved": "What moved",
    "about": "About",
}
TESTED = ("metrics", "confusion", "mistakes", "look", "plane", "moved")


def named_run() -> Run | None:
    """The run named in the address; if there is none, links to the runs."""
    key = st.query_params.get("run")
    if not key:
        st.info("Choose a run to see it here.", icon=":material/list:")
    else:
        try:
            return the_lab().run(key)
        except UnknownKey:
            st.warning(
                f"There is no run {ids.shown(key)} here. It may have been discarded.", icon=":material/search_off:"
            )
    st.page_link("pages/runs.py", label="All runs", icon=":material/list:")
    st.page_link("pages/lab.py", label="Start a new one in the lab", icon=":material/science:")
    return None


def head(run: Run) -> None:
    """The experiment and its result."""
    st.markdown(f"#### {ICONS[run.state]} {in_words(run.experiment)}")
    said = kind_of(run.experiment.target).words(words.result(run.metrics) or run.state)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f"{said} · seed {run.experiment.seed} · {words.duration(run.seconds)}", width="content")
        # In one container, so that they wrap together on a narrow page.
        with st.container(horizontal=True, width="content", gap="small"):
            st.page_link(
                "pages/lab.py", label="Open in the lab", icon=":material/science:", query_params={"run": run.id}
            )
            if run.state == "finished":
                st.page_link("pages/try_it.py", label="Try it", icon=":material/draw:", query_params={"runs": run.id})


def remarks(run: Run) -> None:
    """Warnings about its figures: labels and pictures its network had seen before, duplicates in its test set."""
    for said in facts.remarks(run.metrics):
        st.warning(kind_of(run.experiment.target).words(said), icon=":material/visibility:")


def chosen_part(run: Run) -> str:
    """The part on show; it is part of the address, so that it can be linked."""
    if "part" not in st.session_state:
        asked = st.query_params.get("part")
        st.session_state["part"] = asked if asked in PARTS else "curves"
    names = PARTS | {"look": shows(kind_of(run.experiment.target).key).WHERE}
    part = st.segmented_control(
        "Part", list(PARTS), format_func=names.__getitem__, key="part", required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    st.query_params["part"] = part or "curves"
    return part or "curves"


def curves(run: Run) -> None:
    """Loss and accuracy with phases and best epoch, as on the Lab page."""
    from pages.parts.watch.charts import ChartContext, switches
    from pages.parts.watch.run import watch

    def live(run: Run) -> None:
        watch(run, ChartContext(run.experiment))
        switches(run)

    alone_while_live(live, run)


def tested(run: Run, part: str) -> None:
    """A part that needs the run's answers to its test set."""
    from pages.parts.depth import inside_network, results
    from transfer.insight import answers

    folder = settings.run_folder(run.id)
    dataset, made = catalog.datasets().get(run.experiment.target), record.read(folder)
    try:
        if dataset is None and made is None:
            raise RequestError("This run's data set is no longer available.", run.experiment.target)
        found = answers.read(folder, made.classes if made else dataset.classes if dataset else ())
    except RequestError as problem:
        waits = "Available once the run has finished." if run.live or run.resumable else str(problem)
        st.info(waits, icon=":material/hourglass_empty:")
        return
    if made is not None and (said := record.since(made, catalog.datasets())):
        st.warning(
            f"**{run.experiment.target} has changed since this run:** {said}. You see what the run stored; "
            "missing pictures are grey with a cross.", icon=":material/history:",
        )  # fmt: skip
    if part == "metrics":
        results.metrics(run, found)
    elif part == "confusion":
        results.confused(run, found)
    elif part == "mistakes":
        results.mistakes(run, found)
    elif part == "look":
        shows(kind_of(run.experiment.target).key).where(run, found)
    elif part == "plane":
        inside_network.embedded(run, found)
    else:
        inside_network.moved(run)


through_app()
run = named_run()
if run is not None:
    head(run)
    remarks(run)
    part = chosen_part(run)
    if part == "about":
        from pages.parts.depth.background import background

        background(run)
    elif part in TESTED:
        tested(run, part)
    else:
        curves(run)

"""The lab: choose on the left, start and watch on the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.kinds import nouns
from pages.parts.choose import cards, estimates, options
from pages.parts.choose.class_counts import Counts, being_counted, counts
from pages.parts.common.entry import through_app
from pages.parts.common.form import chosen, experiment, fill_from
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import Turn, alone_while_live, still_there
from pages.parts.watch import controls
from transfer import catalog, ids, modalities, possible
from transfer.errors import RequestError, UnknownKey
from transfer.experiment import Experiment
from transfer.insight import plan

if TYPE_CHECKING:
    from transfer.lab import Run


USUAL_EPOCHS = 20


def shown_run() -> Run | None:
    """The run that the address names, if there is one."""
    key = st.query_params.get("run")
    if not key:
        return None
    try:
        return the_lab().run(key)
    except UnknownKey:
        st.warning(
            f"There is no run {ids.shown(key)} here; it may have been discarded. All runs are on the Runs page; "
            "start a new one below.",
            icon=":material/search_off:",
        )
        return None


def budget(asked: Experiment, training: int) -> str:
    """The length of the training, in the unit that was chosen."""
    if asked.images is not None:
        return f"{asked.images:,} images"
    if asked.seconds is not None:
        return f"{asked.seconds:g} seconds of training"
    return f"{asked.epochs_for(training):,} epochs"


def length(asked: Experiment, counted: Counts) -> int | None:
    """Its epochs; None for a run of an older version that is no longer possible."""
    try:
        return counted.epochs(asked)
    except RequestError:
        return None


def data_remark(asked: Experiment, counted: Counts) -> None:
    """How many pictures are trained on, with a note if validation uses more labels than training."""
    training, validation = counted.training(asked.strategy, asked.labels_per_class), sum(counted.validation)
    said = f"{training:,} training {nouns(asked.target)}, {budget(asked, training)}."
    if asked.labels_per_class and validation > training:
        said += f" Choosing the best epoch uses {validation:,} labels; training uses only {training:,}."
    st.caption(said)


def usual(counted: Counts | None) -> dict[str, str]:
    """The values of empty fields, in words, where they are known: epochs, learning rate and image size."""
    fields, found = chosen(), {}
    if counted is not None and fields["batch_size"]:
        training = counted.training(fields["strategy"], fields["labels_per_class"])
        found["epochs"] = f"{Experiment().but(batch_size=fields['batch_size']).epochs_for(training):,}"
    asked, _ = experiment()
    if asked is not None:
        found["learning_rate"] = f"{plan.usual_rate(asked, asked.epochs or USUAL_EPOCHS):g}"
        network = catalog.backbone(asked.backbone)
        found[modalities.kind(network.modality).size] = str(network.size)
    return found


@st.fragment(run_every=0.5)
@still_there
def wait_for_counts(target: str, turn: Turn) -> None:
    """Redraws the page as soon as the target's classes have been counted."""
    if turn.own() and not being_counted(catalog.dataset(target)):
        st.rerun(scope="app")
    st.caption(f"counting the {nouns(target)} ...")


def choose_column() -> tuple[Experiment | None, Counts | None]:
    """Draws cards and options; returns the experiment (None while it is impossible) and the target's class counts."""
    dataset = catalog.datasets().get(chosen()["target"])
    every = counts(dataset) if dataset else None
    counted = every.without(dataset.classes, chosen()["without"]) if dataset and every else None
    cards.summary(counted)
    hints = usual(counted)
    options.in_sight(hints)
    remark = st.container()
    with st.expander("More options"):
        options.more(hints)
    asked, problem = experiment()
    changes = possible.nearest(chosen()) if problem else []
    with remark:
        if asked and counted and not problem:
            data_remark(asked, counted)
            estimates.line(asked, counted.labelled(asked.labels_per_class), sum(counted.train))
        elif dataset and being_counted(dataset):
            wait_for_counts(dataset.key, Turn())
    st.session_state["problem"] = (problem, changes)
    return (None if problem else asked), counted


def watch_column(asked: Experiment | None, counted: Counts | None, shown: Run | None) -> None:
    """Buttons, then the run or empty charts."""
    problem, changes = st.session_state.get("problem", (None, []))

    def offers() -> None:
        if isinstance(problem, RequestError):
            options.offer(problem, changes)

    def watched(run: Run | None) -> None:
        # Imported here because plotly and pandas take half a second; the Start button appears before.
        from pages.parts.watch.charts import ChartContext, switches
        from pages.parts.watch.run import watch

        of_shown = run is None or run.experiment.target == chosen()["target"]
        known = counted if of_shown else None
        subject = run.experiment if run else asked
        epochs = length(subject, known) if subject and known else None
        around = ChartContext(
            subject,
            epochs=epochs,
            majority=known.majority if known else None,
            validation=sum(known.validation) if known else 100,
        )
        watch(run, around)
        switches(run)

    def live(run: Run) -> None:
        controls.while_live(run, asked)
        controls.trouble()
        watched(run)

    if shown is not None and shown.live:
        controls.queued(asked)
        offers()
        alone_while_live(live, shown)
        return
    controls.buttons(asked, shown)
    controls.trouble()
    offers()
    if shown is None:
        watched(None)
    else:
        alone_while_live(watched, shown)


def fill_from_race() -> None:
    """The settings of the first competitor in the race that the address names."""
    key = st.query_params.get("race")
    first = the_lab().races.runs(key)[:1] if key else []
    if first:
        fill_from(str(key), first[0].experiment)


def race_column(counted: Counts | None) -> None:
    """The race that the address names, or the form for a new one."""
    from pages.parts.race import new_race, progress

    controls.trouble()
    raced = progress.shown_race()
    if raced is not None:
        progress.watch(raced)
    else:
        new_race.form(counted)
        progress.earlier()


through_app()
shown = shown_run()
if shown is not None:
    fill_from(shown.id, shown.experiment)
elif controls.racing():
    fill_from_race()
left, right = st.columns([4, 8], gap="medium")
with left:
    asked, counted = choose_column()
with right:
    if shown is None and controls.racing():
        race_column(counted)
    else:
        watch_column(asked, counted, shown)
cards.gallery()

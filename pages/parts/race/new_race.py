"""The form for a race: one or two fields, their values, the seeds and the budget."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.kinds import kind_of
from pages.parts.choose.class_counts import Counts
from pages.parts.common.distinct_labels import told_apart
from pages.parts.common.form import chosen
from pages.parts.common.lab import the_lab
from pages.parts.watch.controls import race
from transfer import catalog
from transfer.errors import LabError, RequestError
from transfer.experiment import Experiment

FIELDS = {
    "strategy": "Strategies",
    "labels_per_class": "Labels per class",
    "backbone": "Backbones",
    "source": "Sources",
    "target": "Data sets",
    "learning_rate": "Learning rates",
    "optimizer": "Optimisers",
    "batch_size": "Batch sizes",
}
USUAL: dict[str, list[Any]] = {
    "strategy": ["fine_tuning", "feature_extraction", "lora"],
    "labels_per_class": [1, 2, 5, 10, 50, None],
}
CHOICES: dict[str, list[Any]] = {
    "labels_per_class": [1, 2, 3, 5, 10, 20, 50, 100, None],
    "learning_rate": [1e-1, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5],
    "optimizer": ["adam", "adamw", "sgd", "rmsprop"],
    "batch_size": [8, 16, 32, 64, 128, 256],
}
NOTHING = "nothing else"
CURRENCIES = {"epochs": "epochs", "images": "images seen", "seconds": "seconds"}
SEEDS, MOST_SEEDS = 3, 20
LAST_SEED = 2**31 - 1
AMOUNTS: dict[str, int | None] = {"epochs": None, "images": 2_000, "seconds": 5}  # when the field is empty
LIMITS = {"epochs": 10_000, "images": 100_000_000, "seconds": 86_400}


def form(counted: Counts | None) -> None:
    """The form for a race based on the settings on the left, the number of runs, and Start.

    Args:
        counted: the target's class counts, for the default number of epochs; None if unknown.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown("**Race** · Every competitor gets the same budget; all other settings are those on the left.")
        st.button("One run instead", key="one_run", on_click=race, args=(False,), type="tertiary",
                  icon=":material/arrow_back:")  # fmt: skip
    first, second = st.columns(2)
    with first:
        field = st.selectbox("Compare", list(FIELDS), format_func=FIELDS.__getitem__, key="race_field",
                             persist_state="session", help="What differs between the competitors.")  # fmt: skip
        values = {field: _values(field)}
    with second:
        others = [NOTHING, *(one for one in FIELDS if one != field)]
        also = st.selectbox("and", others, format_func=lambda one: FIELDS.get(one, one), key="race_also",
                            persist_state="session", help="Runs every combination of both.")  # fmt: skip
        if also != NOTHING:
            values[also] = _values(also)
        else:
            st.button("Accuracy against labels: 1 to all", on_click=_labels, icon=":material/show_chart:",
                      key="race_labels", disabled=field == "labels_per_class",
                      help="Adds 1, 2, 5, 10, 50 and all labels per class: a learning curve in one click.")  # fmt: skip
    _budget_and_start(values, counted)


def _values(field: str) -> list[Any]:
    """The values of one field that compete."""
    options = _choices(field)
    usual = [one for one in USUAL.get(field, [chosen()[field]]) if one in options]
    words = told_apart(options, lambda one: _title(field, one))
    held: list[Any] = st.multiselect(
        FIELDS[field], options, default=usual, format_func=words.__getitem__, key=f"race:{field}",
        persist_state="session", label_visibility="collapsed", placeholder="choose two or more",
    )  # fmt: skip
    return held


def _choices(field: str) -> list[Any]:
    if field == "strategy":
        return list(catalog.strategies())
    reads = kind_of(chosen()["target"]).key
    if field == "backbone":
        return list(catalog.offline_backbones(reads))
    if field in ("source", "target"):
        return [
            one.key
            for one in catalog.datasets().values()
            if one.modality == reads and (not one.download_mb or one.key == chosen()[field])
        ]
    return CHOICES[field]


def _title(field: str, value: Any) -> str:
    from transfer.insight.race import in_words

    return str(value) if field in ("optimizer", "batch_size", "learning_rate") else in_words(field, value)


def _labels() -> None:
    """Fills in the learning curve over labels."""
    st.session_state["race_also"] = "labels_per_class"
    st.session_state["race:labels_per_class"] = USUAL["labels_per_class"]


def _budget_and_start(values: dict[str, list[Any]], counted: Counts | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        seeds = st.number_input("Seeds", 1, MOST_SEEDS, SEEDS, key="race_seeds", persist_state="session", width=90,
                                help="Each competitor runs once per seed. One seed can't tell who wins.")  # fmt: skip
        currency = st.segmented_control(
            "Equal budget in", list(CURRENCIES), default="epochs", format_func=CURRENCIES.__getitem__, required=True,
            key="race_currency", persist_state="session", help=BUDGET_HELP,
        )  # fmt: skip
        usual = chosen()[currency] or AMOUNTS[currency]
        # No default, or the field could not be emptied.
        amount = st.number_input(
            f"{currency.capitalize()} each", 1, LIMITS[currency], None, width=140, step=1,
            key=f"race_amount:{currency}", persist_state="session",
            placeholder=f"auto: {usual:,g}" if usual else _usual_epochs(values, counted),
        ) or usual  # fmt: skip
        scratch = st.toggle("Also train from scratch", value=True, key="race_scratch", persist_state="session",
                            help="The baseline: the same from random weights, at the same budget.")  # fmt: skip
    made, refused = _entries(values, currency, amount, seeds, scratch)
    several = len(made) // seeds
    with st.container(horizontal=True, vertical_alignment="center"):
        # No callback: it would get the race as last drawn, without a change made just before pressing Start.
        if st.button(
            "Start the race", type="primary", icon=":material/sports_score:", key="start_race", disabled=not made,
            help=None if made else "These values do not work together.",
        ) and made:  # fmt: skip
            start(made, list(values), currency, amount)
        st.caption(f"{several} competitor{'s' if several != 1 else ''} × {seeds} seed{'s' if seeds != 1 else ''} = "
                   f"{len(made)} runs, one at a time on each device.")  # fmt: skip
    for what, why in refused[:3]:
        st.caption(f":material/block: Left out, {what}: {why}")
    if len(refused) > 3:
        st.caption(f"and {len(refused) - 3} more that do not work together")


BUDGET_HELP = (
    "Epochs: passes over the target's training pictures. Images seen: every picture that passes through the network "
    "in training, each view and each source picture included. Seconds: time in training steps; loading, validation and "
    "learning the source are not counted. Training a teacher is not part of the budget."
)


def _usual_epochs(values: dict[str, list[Any]], counted: Counts | None) -> str:
    """The default epochs, which depend only on the number of pictures."""
    fields = chosen()
    if counted is None or not fields["batch_size"] or {"labels_per_class", "target", "batch_size"} & set(values):
        return "auto"
    training = counted.training(fields["strategy"], fields["labels_per_class"])
    return f"auto: {Experiment().but(batch_size=fields['batch_size']).epochs_for(training):,}"


def _entries(
    values: dict[str, list[Any]], currency: str, amount: float | None, seeds: int, scratch: bool
) -> tuple[list[Experiment], list[tuple[str, str]]]:
    from transfer.lab.races import entries

    begin = min(int(chosen()["seed"] or 0), LAST_SEED + 1 - seeds)
    try:
        base = Experiment(**chosen())
    except RequestError as problem:
        return [], [("the settings on the left", str(problem))]
    return entries(base, values, currency, amount, range(begin, begin + seeds), scratch)  # type: ignore[arg-type]  # one of its names


def start(made: list[Experiment], fields: list[str], currency: str, amount: float | None) -> None:
    """Queues the race and redraws the page with it; the address contains its id."""
    from transfer.lab.races import About

    try:
        race = the_lab().races.start(made, About(tuple(fields), currency, amount))  # type: ignore[arg-type]  # as above
    except LabError as problem:
        st.session_state["trouble"] = str(problem)
    else:
        st.session_state["filled_from"] = race
        st.query_params.clear()
        st.query_params["race"] = race
    st.rerun()

"""The experiment in the form: kept for the session, whichever page is open."""

from __future__ import annotations

from typing import Any

import streamlit as st

from transfer import catalog
from transfer.errors import RequestError
from transfer.experiment import Experiment

DEFAULT = Experiment().but(source="mnist_5k", labels_per_class=1)


def chosen() -> dict[str, Any]:
    """The current choices, by field of the Experiment; read them here, change them with `choose`."""
    if "chosen" not in st.session_state:
        st.session_state["chosen"] = DEFAULT.model_dump()
    fields: dict[str, Any] = st.session_state["chosen"]
    return fields


def choose(**changes: Any) -> None:
    """Changes choices and their widgets; call it in a callback or before the widgets are drawn."""
    fields = chosen()
    if changes.get("strategy", fields["strategy"]) != fields["strategy"]:
        changes.setdefault("options", {})
        _usual_labels(fields, changes)
    fields.update(changes)
    for name, value in changes.items():
        if name not in ("options", "intake"):
            _show(field_key(name), value)
    if "intake" in changes:
        _show_intake(changes["intake"])
    if "options" in changes:
        _show_options(fields["strategy"], changes["options"])


def _show(key: str, value: Any) -> None:
    """Sets the value of an existing widget."""
    if key in st.session_state:
        st.session_state[key] = value
        unsent().add(key)


def _show_intake(intake: dict[str, Any]) -> None:
    """Sets the widgets of how samples enter the network, of whatever kind."""
    for key in [str(key) for key in st.session_state if str(key).startswith("intake:")]:
        _show(key, intake.get(key.rpartition(":")[2]))


def _show_options(strategy: str, options: dict[str, Any]) -> None:
    """Sets the widgets of a strategy's options, and forgets the options of other strategies."""
    found = catalog.strategies().get(strategy)
    own = found.Options.model_fields if found else {}
    for key in [str(key) for key in st.session_state if str(key).startswith("option:")]:
        name = key.rpartition(":")[2]
        if key == option_key(strategy, name) and name in own:
            _show(key, options.get(name, own[name].default))
        else:
            del st.session_state[key]


def unsent() -> set[str]:
    """Keys of the widgets whose value was set here and may not have reached the browser yet.

    Streamlit sends a value that a script sets only once, and drops it if a rerun cuts that script short. So it is set
    again in every run until one reaches its end, see `sent`.
    """
    keys: set[str] = st.session_state.setdefault("unsent", set())
    return keys


def sent() -> None:
    """Call it at the end of a page: all values that were set have now reached the browser."""
    unsent().clear()


def _usual_labels(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    """The default number of labels: none for a strategy that needs none, else the usual few."""
    new = catalog.strategies().get(changes["strategy"])
    if new is None or "labels_per_class" in changes:
        return
    if new.unlabelled:
        changes["labels_per_class"] = 0
    elif fields["labels_per_class"] == 0:
        changes["labels_per_class"] = DEFAULT.labels_per_class


def fill_from(key: str, asked: Experiment) -> None:
    """Copies the experiment of a run or a race into the form, once each time it is opened.

    Args:
        key: of the run or the race.
        asked: its experiment; for a race, the first.
    """
    if st.session_state.get("filled_from") == key:
        return
    st.session_state["filled_from"] = key
    dump = asked.model_dump()
    choose(**{name: dump[name] for name in Experiment.model_fields if name in dump})


def field_key(name: str) -> str:
    """Key of the widget of an Experiment's field."""
    return f"field:{name}"


def intake_key(kind: str, name: str) -> str:
    """Key of the widget of an option of how samples of that kind enter the network."""
    return f"intake:{kind}:{name}"


def option_key(strategy: str, name: str) -> str:
    """Key of the widget of a strategy's option."""
    return f"option:{strategy}:{name}"


def experiment() -> tuple[Experiment | None, RequestError | None]:
    """The Experiment, or the reason why it is impossible."""
    try:
        asked = Experiment(**chosen())
        catalog.check(asked)
    except RequestError as problem:
        return None, problem
    return asked, None

"""Widgets for options, drawn from the pydantic fields that declare them: limits, unit and help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from pydantic import BaseModel

from pages.parts import gap
from pages.parts.form import choose, chosen, field_key
from pages.parts.shared import the_lab
from transfer import catalog
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.strategies import Strategy

if TYPE_CHECKING:
    from transfer.lab import Run

IN_SIGHT = ("labels_per_class", "epochs", "seed")
ON_CARDS = ("target", "source", "backbone", "strategy", "options")
SMALLEST = 1e-6
WHOLE_NUMBERS = {"type": "integer"}


def in_sight(epochs: int | None) -> None:
    """Labels, epochs and seed, side by side.

    Args:
        epochs: how many it would be when nobody chooses; None when not known.
    """
    hints = {"labels_per_class": "all", "epochs": f"{epochs:,}" if epochs else "auto"}
    for column, name in zip(st.columns(3, gap="small", vertical_alignment="bottom"), IN_SIGHT, strict=True):
        with column:
            _field(name, hints.get(name, ""))


def more() -> None:
    """The strategy's own options, then all further ones of the experiment."""
    strategy = catalog.strategies()[chosen()["strategy"]]
    own = strategy.Options.model_fields
    if own:
        st.markdown(f"**{strategy.title}**")
        _strategy_options(strategy)
        st.markdown("**Training**")
    for name in Experiment.model_fields:
        if name not in IN_SIGHT and name not in ON_CARDS:
            _field(name)
    gap.widgets()


def _field(name: str, hint: str = "") -> None:
    fields = chosen()
    disabled = name == "source_epochs" and not source_matters(fields)
    fields[name] = widget(Experiment, name, field_key(name), fields[name], disabled, hint)


def source_matters(fields: dict[str, Any]) -> bool:
    """Whether the source has any influence: a strategy that starts from random weights ignores it."""
    strategy = catalog.strategies().get(fields["strategy"])
    return bool(fields["source"]) and strategy is not None and strategy.start != "random"


def _strategy_options(strategy: Any) -> None:
    """Only what differs from the defaults is kept, so that equal experiments have equal fingerprints."""
    given, kept = chosen()["options"], {}
    shared = Strategy.Options.model_fields
    fields = sorted(strategy.Options.model_fields.items(), key=lambda one: one[0] in shared)
    for name, field in fields:
        now = given.get(name, field.default)
        value = widget(strategy.Options, name, f"option:{strategy.key}:{name}", now)
        if value != field.default:
            kept[name] = value
    chosen()["options"] = kept


def label(name: str, unit: str = "") -> str:
    """A field's name as people write it, with its unit: ``Batch size (pictures)``."""
    words = name.replace("_", " ").capitalize()
    return f"{words} ({unit})" if unit and unit not in words.lower() else words


def widget(model: type[BaseModel], name: str, key: str, value: Any, disabled: bool = False, hint: str = "") -> Any:
    """One field's widget; what it holds now.

    Args:
        model: the class that declares the field.
        name: of the field.
        key: of the widget.
        value: shown when the widget is new.
        disabled: whether it can be seen but not changed.
        hint: shown while it holds none; else what its description says of none. With a hint the
            widget is narrow, and its unit goes from the label into the help.
    """
    schema = model.model_json_schema()["properties"][name]
    description = str(schema.get("description", ""))
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind, optional = kinds[0], len(schema.get("anyOf", [])) > 1
    # A default of the widget, not a value put into its state: that would reach the browser with this one run of
    # the script, and a run that is cut short never gets there.
    new = key not in st.session_state
    unit = schema.get("unit", "")
    common: dict[str, Any] = {
        "label": label(name, "" if hint else unit),
        "key": key,
        "help": f"{description} In {unit}." if hint and unit else description,
        "disabled": disabled,
    }
    if kind["type"] == "array":
        target = catalog.datasets().get(chosen()["target"])
        classes = target.classes if target else ()
        held = [one for one in (value if new else st.session_state[key]) if one in classes]
        if not new and held != st.session_state[key]:
            st.session_state[key] = held  # classes of another data set
        common["placeholder"] = "none"
        return tuple(st.multiselect(options=classes, default=held if new else None, **common))
    if "enum" in kind:
        return st.selectbox(options=kind["enum"], index=kind["enum"].index(value) if new else 0, **common)
    if kind["type"] == "boolean":
        return st.toggle(value=bool(value) if new else False, **common)
    if kind["type"] == "string":
        if names := _names(schema.get("choices", "")):
            held = value if new else st.session_state[key]
            if held not in names and schema["choices"] == "teachers":
                names = [*names, held]  # by download, or an older run: whether it can teach is for the check to say
            elif not new and held not in names:
                st.session_state[key] = names[0]  # a stage of another backbone
            common["help"] = common["help"].replace("empty:", "not chosen:")
            place = names.index(value) if new and value in names else 0
            return st.selectbox(options=names, index=place, format_func=lambda one: one or "not chosen", **common)
        common |= {"placeholder": schema.get("placeholder"), "max_chars": schema.get("maxLength", 80)}
        return st.text_input(value=value if new else "", **common)
    if optional:
        common["placeholder"] = hint or description.partition("none: ")[2].rstrip(".") or "none"
    return _number(kind, optional, common, value if new else _again(key))


def _again(key: str) -> Any:
    """What a number's widget holds, as its default: for a browser that a cut short run kept from its first drawing.

    None where `choose` has just put it there, for Streamlit takes no default beside that.
    """
    assigned: set[str] = st.session_state.get("assigned", set())
    if key in assigned:
        assigned.discard(key)
        return None
    return st.session_state[key]


def _names(what: str) -> list[str]:
    """What a text can be chosen from: the backbone's stages, or who can teach; empty when it is free."""
    network = catalog.backbones().get(chosen()["backbone"])
    if what == "stages" and network:
        return ["", *network.stages]
    if what == "teachers":
        offline = [
            one.key for one in catalog.backbones().values() if not (one.pretrained and one.pretrained.download_mb)
        ]
        finished = [f"run:{run.id}" for run in the_lab().runs(50) if _can_teach(run)]
        return ["same", *offline, *finished]
    return []


def _can_teach(run: Run) -> bool:
    """A run's network may teach on the split it was trained on."""
    fields = chosen()
    asked = run.experiment
    return run.state == "finished" and (asked.target, asked.seed) == (fields["target"], fields["seed"])


def _number(kind: dict[str, Any], optional: bool, common: dict[str, Any], begin: Any) -> Any:
    """A number's widget; ``begin`` is its value when it is new, else None."""
    whole = kind["type"] == "integer"
    low, high = kind.get("minimum"), kind.get("maximum")
    if whole:
        if begin is None and not optional:
            begin = "min"
        return st.number_input(min_value=low, max_value=high, value=begin, step=1, **common)
    share = (high if high is not None else kind.get("exclusiveMaximum", 10)) <= 1
    step = 0.01 if share else None
    # Streamlit's limits are part of what is allowed, an exclusive one is not: one step inside of it.
    low = float(low) if low is not None else (step or SMALLEST)
    high = float(high) if high is not None else kind["exclusiveMaximum"] - (step or SMALLEST)
    if share and not optional:
        return st.slider(min_value=low, max_value=high, step=step, value=begin, **common)
    written: Any = {"format": "%g", "step": low if low >= SMALLEST * 10 else 1e-4}
    if begin is not None:
        begin = float(begin)
    elif not optional:
        begin = "min"
    return st.number_input(min_value=low, max_value=high, value=begin, **written, **common)


def offer(problem: RequestError, changes: list[tuple[str, dict[str, Any]]]) -> None:
    """Says why the choices do not go together, and offers the nearest that do as buttons."""
    st.warning(str(problem), icon=":material/block:")
    with st.container(horizontal=True):
        for words, change in changes:
            st.button(words, key=f"offer:{words}", on_click=choose, kwargs=change)

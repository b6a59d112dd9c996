"""Widgets for options, drawn from the pydantic fields that declare them: limits, unit and help."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st
from pydantic import BaseModel

from pages.parts.choose import artificial_gap
from pages.parts.common.form import choose, chosen, field_key, intake_key, option_key, unsent
from pages.parts.common.lab import the_lab
from transfer import catalog, modalities
from transfer.errors import RequestError
from transfer.experiment import Experiment
from transfer.modalities import Kind
from transfer.strategies import Strategy

if TYPE_CHECKING:
    from transfer.lab import Run

IN_SIGHT = ("labels_per_class", "epochs", "seed")
ON_CARDS = ("target", "source", "backbone", "strategy", "options", "intake")
SMALLEST = 1e-6
WHOLE_NUMBERS = {"type": "integer"}


def in_sight(usual: Mapping[str, str]) -> None:
    """Labels, epochs and seed, side by side.

    Args:
        usual: the default of each field, where it is known.
    """
    for column, name in zip(st.columns(3, gap="small", vertical_alignment="bottom"), IN_SIGHT, strict=True):
        with column:
            _field(name, usual, narrow=True)


def more(usual: Mapping[str, str]) -> None:
    """The strategy's own options, then the experiment's remaining ones; ``usual`` as for `in_sight`."""
    strategy = catalog.strategies()[chosen()["strategy"]]
    own = strategy.Options.model_fields
    if own:
        st.markdown(f"**{strategy.title}**")
        _strategy_options(strategy)
        st.markdown("**Training**")
    network = catalog.backbones().get(chosen()["backbone"])
    kind = modalities.kind(network.modality if network else "image")
    for name in Experiment.model_fields:
        if name == "image_size" and kind.size != name:
            _intake(kind, usual)
        elif name not in IN_SIGHT and name not in ON_CARDS:
            _field(name, usual)
    artificial_gap.widgets()


def _field(name: str, usual: Mapping[str, str], narrow: bool = False) -> None:
    fields = chosen()
    disabled = name == "source_epochs" and not source_matters(fields)
    fields[name] = widget(Experiment, name, field_key(name), fields[name], disabled, usual.get(name, ""), narrow)


def _intake(kind: Kind, usual: Mapping[str, str]) -> None:
    """How samples of this kind enter the network; what is left empty is not kept."""
    given = chosen()["intake"]
    values = {
        name: widget(kind.intake, name, intake_key(kind.key, name), given.get(name), usual=usual.get(name, ""))
        for name in kind.intake.model_fields
    }
    chosen()["intake"] = {name: value for name, value in values.items() if value is not None}


def source_matters(fields: dict[str, Any]) -> bool:
    """Whether the source has any influence: a strategy that starts from random weights ignores it."""
    strategy = catalog.strategies().get(fields["strategy"])
    return bool(fields["source"]) and strategy is not None and strategy.start != "random"


def _strategy_options(strategy: Any) -> None:
    """Keeps only what differs from the defaults, so that equal experiments have equal fingerprints."""
    given, kept = chosen()["options"], {}
    shared = Strategy.Options.model_fields
    fields = sorted(strategy.Options.model_fields.items(), key=lambda one: one[0] in shared)
    for name, field in fields:
        now = given.get(name, field.default)
        value = widget(strategy.Options, name, option_key(strategy.key, name), now)
        if value != field.default:
            kept[name] = value
    chosen()["options"] = kept


@functools.cache
def _properties(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of each field, computed once: computing it for every field took half the time of drawing the page."""
    found: dict[str, Any] = model.model_json_schema()["properties"]
    return found


def label(name: str, unit: str = "") -> str:
    """A field's label with its unit: ``Batch size (pictures)``."""
    words = name.replace("_", " ").capitalize()
    return f"{words} ({unit})" if unit and unit not in words.lower() else words


def widget(
    model: type[BaseModel],
    name: str,
    key: str,
    value: Any,
    disabled: bool = False,
    usual: str = "",
    narrow: bool = False,
) -> Any:
    """Draws one field's widget; returns its current value.

    Args:
        model: the class that declares the field.
        name: of the field.
        key: of the widget.
        value: shown in a new widget.
        disabled: whether it is visible but cannot be changed.
        usual: the default, for the hint in an empty field; empty if it is not known.
        narrow: whether the label has no room for the unit, which then goes into the help.
    """
    schema = _properties(model)[name]
    description = str(schema.get("description", ""))
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    kind, optional = kinds[0], len(schema.get("anyOf", [])) > 1
    # A default of the widget instead of a value in its state: that would reach the browser with this run of the
    # script only, and not at all if the run is cut short.
    new = key not in st.session_state
    if not new and key in unsent():
        st.session_state[key] = value
    unit = schema.get("unit", "")
    common: dict[str, Any] = {
        "label": label(name, "" if narrow else unit),
        "key": key,
        "help": f"{description} In {unit}." if narrow and unit else description,
        "disabled": disabled,
        # The user's input wins, even if the previous value may still have to be sent.
        "on_change": unsent().discard,
        "args": (key,),
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
                names = [*names, held]  # a download or an older run: the check decides whether it can teach
            elif not new and held not in names:
                st.session_state[key] = names[0]  # a stage of another backbone
            common["help"] = common["help"].replace("Empty:", "Not chosen:")
            place = names.index(value) if new and value in names else 0
            return st.selectbox(options=names, index=place, format_func=lambda one: one or "not chosen", **common)
        common |= {"placeholder": schema.get("placeholder"), "max_chars": schema.get("maxLength", 80)}
        return st.text_input(value=value if new else "", **common)
    if optional:
        hint = schema.get("empty", "none")
        common["placeholder"] = f"{hint}: {usual}" if usual else hint
        optional_value(key, value, float if kind["type"] == "number" else int)
        return _number(kind, common, None)
    begin = None if key in unsent() else value if new else st.session_state[key]
    return _number(kind, common, "min" if begin is None else begin)


def optional_value(key: str, value: Any, to: type) -> None:
    """Writes a value into the state of an optional number, whose widget has no default.

    With a default, Streamlit would restore it whenever the user empties the field.

    Args:
        key: of the widget.
        value: shown as long as the browser may not know it yet.
        to: int or float, like the widget's limits.
    """
    if key not in st.session_state or key in unsent():
        st.session_state[key] = None if value is None else to(value)
        unsent().add(key)


def _names(what: str) -> list[str]:
    """The choices for a text: the backbone's stages or the possible teachers; empty for free text."""
    network = catalog.backbones().get(chosen()["backbone"])
    if what == "stages" and network:
        return ["", *network.stages]
    if what == "teachers":
        offline = catalog.offline_backbones(network.modality if network else "image")
        finished = [f"run:{run.id}" for run in the_lab().runs(50) if _can_teach(run)]
        return ["same", *offline, *finished]
    return []


def _can_teach(run: Run) -> bool:
    """Whether a run's network may teach: only if it was trained on the same split."""
    fields = chosen()
    asked = run.experiment
    return run.state == "finished" and (asked.target, asked.seed) == (fields["target"], fields["seed"])


def _number(kind: dict[str, Any], common: dict[str, Any], begin: Any) -> Any:
    """A number's widget; ``begin`` is its default: None if it may be empty, "min" if its state has the value."""
    low, high = kind.get("minimum"), kind.get("maximum")
    if kind["type"] == "integer":
        return st.number_input(min_value=low, max_value=high, value=begin, step=1, **common)
    share = (high if high is not None else kind.get("exclusiveMaximum", 10)) <= 1
    step = 0.01 if share else None
    # Streamlit's limits are inclusive; an exclusive limit becomes the value one step inside it.
    low = float(low) if low is not None else (step or SMALLEST)
    high = float(high) if high is not None else kind["exclusiveMaximum"] - (step or SMALLEST)
    if share and begin is not None:
        return st.slider(min_value=low, max_value=high, step=step, value=None if begin == "min" else begin, **common)
    written: Any = {"format": "%g", "step": low if low >= SMALLEST * 10 else 1e-4}
    begin = float(begin) if isinstance(begin, int) else begin
    return st.number_input(min_value=low, max_value=high, value=begin, **written, **common)


def offer(problem: RequestError, changes: list[tuple[str, dict[str, Any]]]) -> None:
    """Says why the choices do not work together, and offers the nearest ones that do as buttons."""
    st.warning(str(problem), icon=":material/block:")
    with st.container(horizontal=True):
        for words, change in changes:
            st.button(words, key=f"offer:{words}", on_click=choose, kwargs=change)

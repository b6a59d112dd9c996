"""A file's description of a network's layers: checked for code, and cleaned of settings without effect.

Keras refuses a layer with an unknown setting, though it is mostly one that a newer or an older version writes
and that is switched off. Those are left out and reported; a setting that is in use cannot be left out.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

# These contain code, or read files beside the network.
CODE = frozenset({"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
# Arguments that every layer takes but no signature names.
_EVERY = frozenset(
    {"name", "dtype", "trainable", "autocast", "activity_regularizer", "input_shape", "batch_shape", "input_dim"}
    | {"batch_input_shape", "input_dtype", "build_config", "weights", "ragged", "sparse", "shared_object_id"}
)
# Written by other versions, without effect at these values.
_AT_REST = {"groups": 1}


def holds_code(config: dict[str, Any]) -> str | None:
    """The first object that runs the file's own code or reads other files; None if there is none."""
    for one in _objects(config):
        kind = one.get("class_name")
        if kind in CODE or kind == "__lambda__":
            return str(kind)
    return None


def unknown_settings(config: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Settings that this Keras does not know, each with the description of its layer."""
    found = []
    for one in _objects(config):
        accepted = _accepted(str(one.get("class_name")))
        if accepted is not None and isinstance(one.get("config"), dict):
            found += [(one, name) for name in one["config"] if name not in accepted]
    return found


def at_rest(name: str, value: Any) -> bool:
    """Whether an unknown setting is switched off, so that leaving it out changes nothing."""
    return value is None or value is False or value in ([], {}, "") or _AT_REST.get(name) == value


def without(unknown: list[tuple[dict[str, Any], str]]) -> list[str]:
    """Removes these settings from their descriptions; returns one line per setting."""
    said = {f"{name} of {one['class_name']}" for one, name in unknown}
    for one, name in unknown:
        one["config"].pop(name, None)
    return sorted(said)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every object described in it, outer ones first."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "class_name" in one:
                yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _accepted(kind: str) -> set[str] | None:
    """Names of the settings a Keras layer takes; None for anything else, or a layer that reads its own description."""
    import keras

    found = getattr(keras.layers, kind, None)
    if not (inspect.isclass(found) and issubclass(found, keras.layers.Layer)) or issubclass(found, keras.Model):
        return None
    names = set(_EVERY)
    for one in found.__mro__:
        if one.__module__.startswith("keras") and (made := vars(one).get("__init__")):
            names |= set(inspect.signature(made).parameters)
    return names

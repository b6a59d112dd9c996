"""Catalog and runs as plain JSON-able records, for the command line."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from transfer import catalog
from transfer.backbones import Backbone
from transfer.lab import Run
from transfer.seen.trained_on import TrainedOn
from transfer.strategies import Strategy


def listed(kind: str) -> list[dict[str, Any]]:
    """Every backbone, data set or strategy as a record; functions are left out.

    Args:
        kind: ``backbones``, ``datasets`` or ``strategies``.
    """
    if kind == "strategies":
        return [_strategy(one) for one in catalog.strategies().values()]
    if kind == "datasets":
        return [_fields(one) for one in (*catalog.datasets().values(), *catalog.own_datasets())]
    return [_backbone(one) for one in catalog.backbones().values()]


def run_record(run: Run) -> dict[str, Any]:
    """A run as it is shown and written as JSON."""
    names = ("id", "state", "created", "started", "ended", "seconds", "device", "attempts", "progress", "error")
    record = {"run" if name == "id" else name: getattr(run, name) for name in names}
    return record | {
        "experiment": run.experiment.model_dump(mode="json"),
        "metrics": run.metrics,
        "environment": run.environment,
    }


def _fields(plugin: Any) -> dict[str, Any]:
    """The fields of a dataclass that are data, those of its parts included."""
    record: dict[str, Any] = {}
    for field in dataclasses.fields(plugin):
        value = getattr(plugin, field.name)
        if dataclasses.is_dataclass(value):
            record[field.name] = _fields(value)
        elif isinstance(value, Path):
            record[field.name] = str(value)
        elif isinstance(value, frozenset):
            record[field.name] = sorted(value)
        elif isinstance(value, tuple):
            record[field.name] = [one.record() if isinstance(one, TrainedOn) else one for one in value]
        elif not callable(value):
            record[field.name] = value
    return record


def _backbone(backbone: Backbone) -> dict[str, Any]:
    own = backbone.pretrained
    return _fields(backbone) | {
        "image_size": backbone.size,  # the name by which scripts know it
        "weights": own.source if own else None,
        "download_mb": own.download_mb if own else 0.0,
    }


def _strategy(strategy: type[Strategy]) -> dict[str, Any]:
    names = [name for name in Strategy.__annotations__ if isinstance(getattr(strategy, name, None), str)]
    options = strategy.Options.model_json_schema().get("properties", {})
    return {name: getattr(strategy, name) for name in names} | {
        "needs": list(strategy.needs),
        "unlabelled": strategy.unlabelled,
        "options": options,
    }

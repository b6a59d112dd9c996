"""The network of a finished run: ``run:<id>``. Transfer continues from it, and every step keeps its lineage."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer import ids, settings
from transfer.backbones import Backbone, Family, Pretrained
from transfer.errors import RequestError
from transfer.seen.trained_on import of_about

if TYPE_CHECKING:
    import keras

PREFIX = "run"
ABOUT = "network.json"
OFFERED = 8


def packed(run: str) -> Path:
    """The file with the run's complete network; the engine creates it when it is first needed."""
    return settings.cache("networks") / f"{ids.checked('run', run)}.keras"


def open_(run: str) -> Backbone:
    """The backbone for a run's id.

    Raises:
        RequestError: this is not an id, or no run with that id has left a network.
    """
    try:
        about: dict[str, Any] = json.loads((settings.run_folder(run) / ABOUT).read_text())
    except (OSError, ValueError):
        raise RequestError(
            "There is no finished run of that name to start from.",
            f"run:{run}",
            "Give the id of a tested run; runs of an older version of the lab have to be run again.",
        ) from None
    if about.get("fixed"):
        raise RequestError(
            "The network of this run is always frozen, so it has learned nothing that could be reused.",
            f"run:{run}, {about['title']}",
            "Start from its own backbone (saved:<folder>) again.",
        )
    size = about["image_size"]
    return Backbone(
        key=f"{PREFIX}:{run}",
        title=about["title"],
        summary=about["summary"],
        parameters=about["parameters"],
        stages=tuple(about["stages"]),
        size=size,
        smallest=size,
        largest=size,
        channels=about["channels"],
        modality=about["modality"],
        reads_as=about.get("reads_as", ""),
        licence=about["licence"],
        reference=f"run {run}",
        preprocessing=about["preprocessing"],
        classes=tuple(about["classes"]),
        trained_on=of_about(about, run),
        build=functools.partial(_build, run=run),
        source_head=functools.partial(_head, run=run) if about["head"] else None,
        pretrained=Pretrained(
            source=about["source"],
            origin=f"run {run}",
            identity=about["identity"],
            load=functools.partial(_load, run=run),
        ),
    )


def noted_reading(run: str) -> int | None:
    """Which reader the run's backbone file was read with, see `transfer.backbones.as_read`; None in older runs."""
    try:
        reading: int | None = json.loads((settings.run_folder(run) / ABOUT).read_text()).get("reading")
    except (OSError, ValueError):
        return None
    return reading


def noted_identity(run: str) -> str:
    """What the run's network was: digest of its own weights, then what they lie on; empty in runs that left none."""
    try:
        return str(json.loads((settings.run_folder(run) / ABOUT).read_text()).get("identity", ""))
    except (OSError, ValueError):
        return ""


def _opened(run: str) -> keras.Model:
    import keras

    return keras.models.load_model(packed(run), compile=False)


def _build(image_size: int, run: str) -> list[keras.Model]:
    """Its stages with new weights; they have the run's size."""
    import keras

    whole, made = _opened(run), []
    for name in open_(run).stages:
        made.append(keras.models.clone_model(whole.get_layer(name)))
        made[-1].name = name
    return made


def _load(stages: list[keras.Model], run: str) -> None:
    whole = _opened(run)
    for stage in stages:
        stage.set_weights(whole.get_layer(stage.name).get_weights())


def _head(run: str) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = _opened(run).get_layer("head").get_weights()
    return kernel, bias


def _known() -> list[str]:
    """Keys of the newest runs that have left a network."""
    found = (file.parent.name for file in settings.runs_folder().glob(f"*/{ABOUT}"))
    newest = sorted(filter(ids.is_id, found), reverse=True)
    return [f"{PREFIX}:{run}" for run in newest[:OFFERED]]


RUNS = Family(PREFIX, open_, _known)

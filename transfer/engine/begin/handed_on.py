"""The network of a finished run as a backbone: described for the pages, and packed for whoever begins with it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from transfer import catalog
from transfer.backbones import inherited
from transfer.backbones.as_read import READING
from transfer.engine.begin import before
from transfer.engine.inspect import rebuilt
from transfer.engine.loop.leg import Leg
from transfer.engine.network.plain import plain
from transfer.seen import carried

if TYPE_CHECKING:
    from transfer.engine.runner import Runner


def describe(runner: Runner, leg: Leg, folder: Path) -> None:
    """Writes what a choice of this run's network as a backbone depends on, beside its weights."""
    asked, network = runner.experiment, leg.network
    fresh = runner.strategy.start == "random"
    unlabelled = runner.strategy.unlabelled or bool(leg.phase.unlabelled)
    lessons = before.after(runner.before, asked, leg.data, unlabelled, folder.name)
    carried.keep(lessons)
    target = catalog.dataset(asked.target)
    weights = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    about: dict[str, Any] = {
        "title": f"{runner.backbone.title}, then {target.title}",
        "summary": f"The network of a finished run: {runner.strategy.title} on {target.title}, begun with "
        f"{network.knowledge.origin}.",
        "source": target.title if fresh else f"{network.knowledge.origin}, then {target.title}",
        "stages": list(network.names),
        "parameters": network.parameters,
        "image_size": network.size,
        "channels": runner.backbone.channels,
        "modality": runner.backbone.modality,
        "reads_as": runner.backbone.reads_as or (runner.backbone.key if runner.backbone.tokens else ""),
        "licence": runner.backbone.licence,
        "preprocessing": runner.backbone.preprocessing,
        "classes": list(target.classes),
        "head": isinstance(leg.head, keras.layers.Dense),
        # An older version of the lab reads no more than this.
        "learned": [[one.data, one.seed] for one in lessons],
        "lessons": [one.record() for one in lessons],
        "fixed": runner.backbone.fixed,
        "reading": READING,
        "identity": f"{weights} on {network.knowledge.identity}",
    }
    (folder / inherited.ABOUT).write_text(json.dumps(about))


def ready(key: str) -> None:
    """Sees that the backbone of that key can be built, if it is a run's: packs its network once into the cache."""
    if not key.startswith(f"{inherited.PREFIX}:"):
        return
    run = key.removeprefix(f"{inherited.PREFIX}:")
    place = inherited.packed(run)
    if place.exists():
        return
    found = rebuilt.trained(run)
    first = found.network.stages[0].inputs[0]
    flowing = entry = keras.Input(first.shape[1:], dtype=first.dtype, name="samples")
    for stage in map(plain, found.network.stages):
        flowing = stage(flowing)
    if isinstance(found.head, keras.layers.Dense):
        flowing = found.head(keras.ops.cast(flowing, "float32"))
    temporary = place.with_suffix(".part.keras")
    keras.Model(entry, flowing).save(temporary)
    temporary.replace(place)

"""The network of a finished run as a backbone: what a choice of it depends on, written beside its weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import keras

from transfer import catalog
from transfer.backbones import run_network
from transfer.backbones.as_read import READING
from transfer.engine.begin.before import Before, after
from transfer.engine.begin.job import Job
from transfer.engine.loop.leg import Leg
from transfer.seen import carried


def describe(job: Job, had: Before, leg: Leg, unlabelled: bool, folder: Path) -> None:
    """Writes what a choice of this run's network as a backbone depends on, beside its weights.

    Args:
        job: the run.
        had: what its network had learned before.
        leg: with the weights that are kept.
        unlabelled: whether any phase learned from samples without labels, too.
        folder: of the run.
    """
    asked, network = job.experiment, leg.network
    fresh = job.strategy.start == "random"
    trained_on = after(had, asked, leg.data, unlabelled, folder.name)
    carried.keep(trained_on)
    target = catalog.dataset(asked.target)
    weights = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    about: dict[str, Any] = {
        "title": f"{job.backbone.title}, then {target.title}",
        "summary": f"The network of a finished run: {job.strategy.title} on {target.title}, begun with "
        f"{network.knowledge.origin}.",
        "source": target.title if fresh else f"{network.knowledge.origin}, then {target.title}",
        "stages": list(network.names),
        "parameters": network.parameters,
        "image_size": network.size,
        "channels": job.backbone.channels,
        "modality": job.backbone.modality,
        "reads_as": job.backbone.reads_as or (job.backbone.key if job.backbone.tokens else ""),
        "licence": job.backbone.licence,
        "preprocessing": job.backbone.preprocessing,
        "classes": list(target.classes),
        "head": isinstance(leg.head, keras.layers.Dense),
        # An older version of the lab reads no more than this.
        "learned": [[one.data, one.seed] for one in trained_on],
        "lessons": [one.record() for one in trained_on],
        "fixed": job.backbone.fixed,
        "reading": READING,
        "identity": f"{weights} on {network.knowledge.identity}",
    }
    (folder / run_network.ABOUT).write_text(json.dumps(about))

"""What a backbone learned from a source data set, kept so that the next run starts from it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from transfer import modalities, settings
from transfer.backbones import Backbone
from transfer.engine.events import Point
from transfer.engine.network.network import Weights
from transfer.engine.samples import arrays
from transfer.experiment import Experiment
from transfer.strategies import Phase

LAYOUT = 2
# Fields that change what is learned from a source, beside the source itself and the size its samples are fed at. A
# new field of Experiment belongs here if it changes the source's weights; tests/test_source.py asks about each.
MATTERS = ("backbone", "source_epochs", "precision", "seed")
RECIPE: dict[str, Any] = {
    "batch_size": 32,
    "optimizer": "adam",
    "learning_rate": None,
    "schedule": "constant",
    "early_stopping": None,
    "augment": False,
    "label_smoothing": 0.0,
    "class_weights": False,
    "labels_per_class": None,
}


@dataclass(frozen=True)
class SourceTraining:
    """One source learned by one backbone: where it is kept and how it is learned.

    The recipe is fixed (all labels, Adam 1e-3, batches of 32): what is varied is how the knowledge
    is used, so runs that differ in the target's options share one source.
    """

    experiment: Experiment
    backbone: Backbone
    size: int
    data: str

    @property
    def recipe(self) -> Experiment:
        """The experiment by which the source is learned; the same for all that begin with the same weights."""
        kept = {name: getattr(self.experiment, name) for name in MATTERS}
        return Experiment(
            **kept,
            target=self.experiment.source,
            **modalities.fields_for(self.backbone, self.size),
            strategy="from_scratch",
            epochs=self.experiment.source_epochs,
            **RECIPE,
        )

    @property
    def file(self) -> Path:
        """Where the weights lie, or will.

        The name tells apart what gives other weights and nothing else. The split's fingerprint speaks for the source's
        samples, whatever their data set is called.
        """
        network = self.backbone.pretrained.identity if self.backbone.pretrained else ""
        learned_by = {name: value for name, value in self.recipe.model_dump(mode="json").items() if name != "target"}
        if not learned_by["intake"]:
            del learned_by["intake"]  # as before there was such a field: what was learned then is still found
        words = json.dumps([LAYOUT, learned_by, network, self.data], sort_keys=True)
        return settings.cache("sources") / f"{hashlib.sha256(words.encode()).hexdigest()[:40]}.npz"

    def phase(self, stages: tuple[str, ...], title: str) -> Phase:
        """Everything is trained, on the source."""
        return Phase(
            f"learn the source: {title}",
            self.experiment.source_epochs,
            1e-3,
            rates=dict.fromkeys(stages, 1.0),
            batch_norm="batch",
        )

    def save(self, weights: Weights, points: list[Point], accuracy: float) -> None:
        """Keeps the best epoch's weights, the head's too, and the curve that led there."""
        digest = hashlib.sha256()
        for name, value in sorted(weights.items()):
            digest.update(name.encode() + np.ascontiguousarray(value).tobytes())
        about = {
            "identity": digest.hexdigest(),
            "accuracy": accuracy,
            "points": [asdict(point) for point in points],
        }
        packed = np.frombuffer(json.dumps(about).encode(), "uint8")
        arrays.write(self.file, {**weights, "about": packed})

    def load(self) -> Learned | None:
        """What was learned before, or None; a damaged file is thrown away and learned anew."""
        try:
            weights = arrays.read(self.file)
        except FileNotFoundError:
            return None
        except arrays.Damaged:
            self.file.unlink(missing_ok=True)
            return None
        about = json.loads(bytes(weights.pop("about")))
        head = {name: value for name, value in weights.items() if name.startswith("head/")}
        points = [Point(**point) for point in about["points"]]
        return Learned(self.file, about["identity"], about["accuracy"], head, points)


@dataclass(frozen=True)
class Learned:
    """A source that was learned: weights on disk, head, validation accuracy (0 to 1) and curve."""

    file: Path
    identity: str
    accuracy: float
    head: Weights
    points: list[Point]

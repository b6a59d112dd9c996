"""A source is learned once for all experiments that begin with the same weights, and anew for any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from transfer import Experiment, catalog
from transfer.engine.begin.source import SourceTraining

BASE = Experiment(source="mnist_5k", labels_per_class=2)
# Another value for every field, and whether the source's weights come out different for it.
FIELDS: dict[str, tuple[Any, bool]] = {
    "target": ("usps", False),
    "source": ("optdigits", True),
    "backbone": ("dense", True),
    "strategy": ("dann", False),
    "options": ({"head": "new"}, False),
    "labels_per_class": (5, False),
    "without": (("3", "7"), False),
    "epochs": (7, False),
    "images": (700, False),
    "seconds": (7.0, False),
    "source_epochs": (3, True),
    "batch_size": (8, False),
    "optimizer": ("sgd", False),
    "learning_rate": (0.01, False),
    "schedule": ("cosine", False),
    "early_stopping": (2, False),
    "image_size": (32, True),
    "intake": ({"tokens": 8}, False),  # the size that follows from it is asked about on its own
    "augment": (True, False),
    "label_smoothing": (0.1, False),
    "class_weights": (True, False),
    "precision": ("mixed", True),
    "seed": (1, True),
}


def file(asked: Experiment) -> Path:
    """Where the source of that experiment is kept."""
    backbone = catalog.backbone(asked.backbone)
    pictures = f"{asked.source} seed {asked.seed}"  # what stands for the split's fingerprint
    return SourceTraining(asked, backbone, asked.image_size or backbone.size, pictures).file


def test_every_field_of_an_experiment_is_asked_about() -> None:
    assert set(FIELDS) == set(Experiment.model_fields)


@pytest.mark.parametrize("field", FIELDS)
def test_a_source_is_kept_by_what_changes_its_weights_and_nothing_else(field: str) -> None:
    value, matters = FIELDS[field]
    assert (file(BASE.but(**{field: value})) != file(BASE)) == matters


def test_a_source_is_kept_by_what_its_network_holds_and_by_the_size_it_is_fed_however_that_was_said() -> None:
    network = catalog.backbone("efficientnet_lite0")
    assert network.pretrained is not None
    exchanged = replace(network, pretrained=replace(network.pretrained, identity="another file under this name"))
    asked = BASE.but(backbone=network.key)
    assert SourceTraining(asked, network, 96, "x").file != SourceTraining(asked, exchanged, 96, "x").file
    assert file(asked) == file(asked.but(image_size=network.size))


@pytest.mark.parametrize("field", ["images", "seconds", "without", "labels_per_class", "learning_rate"])
def test_a_recipe_takes_nothing_of_the_targets_budget_and_choices(field: str) -> None:
    backbone = catalog.backbone("small_cnn")
    recipe = SourceTraining(BASE.but(**{field: FIELDS[field][0]}), backbone, 28, "x").recipe
    assert getattr(recipe, field) == getattr(Experiment(), field)
    assert (recipe.target, recipe.epochs, recipe.strategy) == ("mnist_5k", 10, "from_scratch")

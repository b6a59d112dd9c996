"""Runs made before a network's file was read as it is now are opened as they were made."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from transfer import Experiment, catalog, settings, train
from transfer.backbones import run_network
from transfer.backbones.as_read import as_read, noted
from transfer.engine.inspect import rebuilt
from transfer.engine.loop.checkpoint import Checkpoint, Position
from transfer.engine.samples import arrays
from transfer.errors import RequestError


def nested(folder: Path) -> Path:
    """A network that was read otherwise then: fed 0 to 1, its base one layer, cut at the probabilities."""
    inner = keras.Input((12, 12, 1))
    base = keras.Model(inner, layers.Conv2D(3, 3, strides=2)(layers.Conv2D(2, 3)(inner)), name="base")
    given = keras.Input((12, 12, 1))
    flowing = layers.GlobalAveragePooling2D(keepdims=True, name="mean")(base(given + -120.0))
    flowing = layers.Reshape((4,))(layers.Conv2D(4, 1, name="scores")(flowing))
    keras.Model(given, layers.Softmax(name="chances")(flowing)).save(folder / "net.keras")
    return folder / "net.keras"


def made_before(asked: Experiment, name: str) -> np.ndarray:
    """Runs it as it was run then, notes nothing, and gives what it said of its test pictures."""
    folder = settings.run_folder(name)
    folder.mkdir(parents=True)
    train(asked.but(backbone=f"{asked.backbone}@reading=1"), folder=folder)
    about = json.loads((folder / run_network.ABOUT).read_text())
    about.pop("reading")
    (folder / run_network.ABOUT).write_text(json.dumps(about))
    (folder / "experiment.json").write_text(asked.canonical_json())
    return np.asarray(arrays.read(folder / "test.npz")["logits"])


def test_an_old_run_says_what_it_said(tmp_path: Path, at_once: None) -> None:
    key = f"file:{nested(tmp_path)}"
    now, then = catalog.backbone(key), catalog.backbone(f"{key}@reading=1")
    assert "0 to 255" in now.preprocessing and "0 to 1" in then.preprocessing
    assert (len(now.stages), now.title) == (2, "net up to mean")
    assert (len(then.stages), then.title) == (2, "net up to chances")
    assert now.pretrained.identity != then.pretrained.identity
    asked = Experiment(target="optdigits", backbone=key, strategy="fine_tuning", labels_per_class=2, epochs=2)
    said = made_before(asked, "old")
    found = rebuilt.trained("old")
    again = found.logits(np.asarray(found.split.test.inputs[:40]))
    np.testing.assert_allclose(again, said[:40], rtol=1e-4, atol=1e-4)
    assert catalog.backbone("run:old").stages == then.stages


def test_an_old_run_that_had_lost_a_normalization_is_not_opened(tmp_path: Path, at_once: None) -> None:
    given = keras.Input((12, 12, 1))
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(0, 255, (9, 2, 2, 1)))
    keras.Model(given, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(layer(given))))).save(tmp_path / "n.keras")
    key = f"file:{tmp_path / 'n.keras'}"
    assert catalog.backbone(key).parameters == 20
    with pytest.raises(RequestError, match="lost the mean and variance.*Run it again"):
        catalog.backbone(as_read(key, None))


def test_only_files_without_a_note_are_read_as_then() -> None:
    assert as_read("file:/a.keras", None) == "file:/a.keras@reading=1"
    assert as_read("saved:/a@cut=b", None) == "saved:/a@cut=b@reading=1"
    for key, reading in (("file:/a.keras", 2), ("vgg16", None), ("run:one", None), ("folder:/file:x", None)):
        assert as_read(key, reading) == key
    assert noted("file:/a.keras") and not noted("vgg16")


def test_a_checkpoint_notes_the_reading(tmp_path: Path) -> None:
    Checkpoint(Position()).save(tmp_path)
    assert Checkpoint.load(tmp_path).reading == 2
    kept = arrays.read(tmp_path / "checkpoint.npz")
    about = json.loads(bytes(kept["about"]))
    about.pop("reading")
    arrays.write(tmp_path / "checkpoint.npz", kept | {"about": np.frombuffer(json.dumps(about).encode(), "uint8")})
    assert Checkpoint.load(tmp_path).reading is None

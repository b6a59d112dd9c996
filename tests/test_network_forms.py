"""Networks in the forms people save them in: features as Keras gives them, and exports that score what the run did."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from tests import tiny
from tests.forms import FORMS, PICTURES, SIDE, Form, wanted, written
from transfer import Experiment, catalog, separate_process, settings, train
from transfer.backbones import Backbone, own_file, saved_model
from transfer.backbones.described import understood
from transfer.backbones.pixels import PIXELS
from transfer.datasets import Published, Samples
from transfer.engine.samples import arrays
from transfer.engine.samples.splits import target_split
from transfer.export import keras_file

COLOURS, COUNT = "tiny_colours", 80


def coloured() -> Published:
    """Plain pictures in one of four colours, varied so much that some are nearer to another."""
    random = np.random.default_rng(5)
    labels = np.tile(np.arange(4), COUNT // 4)
    means = np.array([(20, 30, 70), (190, 60, 20), (60, 200, 120), (220, 230, 250)])[labels][:, None, None]
    varied = random.normal(0, 50, (COUNT, 1, 1, 3)) + random.normal(0, 30, (COUNT, SIDE, SIDE, 3))
    return Published(Samples(np.clip(means + varied, 0, 255).astype("uint8"), labels))


@pytest.fixture(scope="module")
def lab(world: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests here, with coloured pictures; a file is opened once, and looked into in this process."""
    root = tmp_path_factory.mktemp("forms")
    with pytest.MonkeyPatch.context() as patch:
        about = replace(catalog.dataset(tiny.TARGET), key=COLOURS, title=COLOURS, classes=tuple("abcd"))
        about = replace(about, shape=(SIDE, SIDE, 3), count=COUNT, load=coloured)
        patch.setitem(catalog.datasets(), COLOURS, about)
        patch.setattr(own_file, "_opened", functools.lru_cache(maxsize=2)(own_file._opened))
        for module in (own_file, saved_model):
            patch.setattr(module, "asked", separate_process.here)
        yield root


@pytest.fixture(autouse=True)
def home(lab: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The TRANSFER_HOME of all tests here."""
    monkeypatch.setenv("TRANSFER_HOME", str(lab / "home"))
    return lab / "home"


@contextmanager
def eagerly() -> Iterator[None]:
    """Steps are taken without being traced: a few batches are not worth it."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


class Case:
    """A form, made and saved once for all that is asked of it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    @cached_property
    def form(self) -> Form:
        """The network and what is to be made of it."""
        keras.utils.set_random_seed(3)
        return FORMS[self.name]()

    @cached_property
    def path(self) -> Path:
        """Its file."""
        return written(self.form, self.folder)

    @cached_property
    def wanted(self) -> np.ndarray:
        """The features of `PICTURES` as Keras gives them."""
        return wanted(self.form, PICTURES)


@pytest.fixture(scope="module", params=FORMS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Each form in turn."""
    return Case(request.param, tmp_path_factory.mktemp("form"))


def stages_of(backbone: Backbone) -> list[keras.Model]:
    stages = backbone.build(SIDE)
    assert backbone.pretrained is not None
    backbone.pretrained.load(stages)
    return stages


def test_features_are_those_that_keras_gives(case: Case) -> None:
    backbone = catalog.backbone(f"file:{case.path}")
    assert PIXELS[case.form.pixels].words in backbone.preprocessing
    assert case.form.said in " ".join(understood(own_file.description(case.path)))
    stages = stages_of(backbone)
    given = PICTURES[..., : backbone.channels].astype("float32")
    found = functools.reduce(lambda flowing, stage: stage(flowing, training=False), stages, given)
    np.testing.assert_allclose(found, case.wanted, rtol=1e-5, atol=1e-5)
    weights = sum(int(np.prod(weight.shape)) for stage in stages for weight in stage.weights)
    assert backbone.parameters == weights


def test_an_export_of_a_run_on_it_scores_exactly_what_the_run_did(case: Case) -> None:
    """Its features with a head that is computed, for one step of a new head still answers one class everywhere."""
    key = f"file:{case.path}"
    size = catalog.backbone(key).smallest
    asked = Experiment(backbone=key, strategy="prototypes", target=COLOURS, epochs=1, batch_size=COUNT, image_size=size)
    number = case.folder.name
    with eagerly():
        score = run(asked, number)
    test = target_split(asked).test
    network = keras.models.load_model(keras_file.write(number, case.folder / "exported.keras"))
    said = np.asarray(network(np.asarray(test.inputs), training=False))
    logits = arrays.read(settings.run_folder(number) / "test.npz")["logits"]
    assert float(np.mean(said.argmax(1) == test.labels)) == score
    np.testing.assert_allclose(said, keras.ops.softmax(logits), atol=1e-6 * max(1.0, np.abs(logits).max()))
    assert score > 0.4 and len(set(said.argmax(1))) > 2, "it tells pictures apart, and chance is 0.25"


EXPORTED = ["plain", "caffe", "normalized 1", "mobilenet's end", "squeezenet's end", "wide", "grey", "sequential"]


@pytest.mark.parametrize("case", EXPORTED, indirect=True)
def test_a_saved_model_gives_the_features_that_keras_gives(case: Case) -> None:
    form, folder = case.form, case.folder / "net"
    if case.name == "grey":
        serve = tf.function(form.whole.__call__, input_signature=[tf.TensorSpec((None, SIDE, SIDE, 1))])
        tf.saved_model.save(form.whole, str(folder), signatures=serve)
    else:
        form.whole.export(folder, verbose=False)
    backbone = catalog.backbone(f"saved:{folder}")
    assert PIXELS[form.pixels].words in backbone.preprocessing
    said = " ".join(understood(saved_model.description(folder)))
    assert "classes) is left out" in said and ("pictures of 12 × 16" in said) == (case.name == "wide")
    given = PICTURES[..., : backbone.channels].astype("float32")
    found = functools.reduce(lambda flowing, stage: stage(flowing, training=False), stages_of(backbone), given)
    np.testing.assert_allclose(found, case.wanted, rtol=1e-5, atol=1e-5)


def test_a_runs_accuracy_is_its_exports_and_the_scale_of_a_normalization_is_kept(tmp_path: Path) -> None:
    """A base in a Sequential, a Normalization before it, fine-tuned; then its network is gone on with."""
    keras.utils.set_random_seed(3)
    given = [keras.Input((SIDE, SIDE, 1)), adapted_grey(), layers.Conv2D(4, 3, strides=2, name="low")]
    rest = [layers.BatchNormalization(), layers.ReLU(), layers.Flatten(), layers.Dense(3)]
    path = written(Form(keras.Sequential([*given, *rest]), "", ""), tmp_path)
    first = Experiment(backbone=f"file:{path}", strategy="fine_tuning", **SHORT)
    score = run(first, "one")
    assert score == accuracy_of_export(first, "one", tmp_path)
    assert score > 0.3, "far above chance"
    again = Experiment(backbone="run:one", strategy="feature_extraction", **SHORT)
    taught = {"teacher": f"file:{path}"}
    student = Experiment(backbone="run:one", strategy="distillation", options=taught, **SHORT)
    with eagerly():  # the first was traced, as runs are
        assert run(again, "two") == accuracy_of_export(again, "two", tmp_path)
        assert run(student, "three") == accuracy_of_export(student, "three", tmp_path)


SHORT = {"target": tiny.TARGET, "labels_per_class": 10, "epochs": 4, "batch_size": 25}


def adapted_grey() -> layers.Normalization:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).beta(2, 3, (50, 4, 4, 1)) * 255)
    return layer


def run(asked: Experiment, name: str) -> float:
    folder = settings.run_folder(name)
    folder.mkdir(parents=True)
    return float(train(asked, folder=folder).metrics["test_accuracy"])


def accuracy_of_export(asked: Experiment, name: str, folder: Path) -> float:
    """What Keras makes of the file alone, on the test pictures of the run."""
    test = target_split(asked).test
    network = keras.models.load_model(keras_file.write(name, folder / f"{name}.keras"))
    said = network.predict(np.asarray(test.inputs), verbose=0)
    return float(np.mean(said.argmax(1) == test.labels))

"""A network of one's own from a file: looked into by another process, refused in words, cut, and trained."""

from __future__ import annotations

import functools
import pickle
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from transfer import Experiment, catalog, train
from transfer.backbones import own_file
from transfer.errors import ImpossibleExperiment, RequestError, RunFailed


def plain_network() -> keras.Model:
    """What a plain Keras script builds, without this project."""
    keras.utils.set_random_seed(1)
    pixels = keras.Input((20, 20, 1))
    flowing = layers.Rescaling(1 / 255)(pixels)
    for n, filters in enumerate((4, 8), start=1):
        flowing = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{n}")(flowing)
        flowing = layers.MaxPooling2D(name=f"pool{n}")(flowing)
    flowing = layers.Flatten(name="flat")(flowing)
    flowing = layers.Dense(16, activation="relu", name="dense")(flowing)
    model = keras.Model(pixels, layers.Dense(5, activation="softmax", name="classes")(flowing), name="plain")
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that a plain Keras script has saved."""
    path = tmp_path_factory.mktemp("models") / "plain.keras"
    plain_network().save(path)
    return path


def test_a_plain_scripts_network_trains_as_a_backbone(plain: Path) -> None:
    """The whole way, with the process that looks into the file."""
    backbone = catalog.backbone(f"file:{plain}")
    assert backbone.stages == ("stage1", "stage2", "stage3")
    assert (backbone.size, backbone.channels, backbone.parameters) == (20, 1, 40 + 296 + 200 * 16 + 16)
    assert "0 to 255" in backbone.preprocessing
    asked = Experiment(
        target="optdigits", backbone=backbone.key, strategy="fine_tuning", epochs=2, labels_per_class=2, batch_size=10
    )
    result = train(asked)
    assert result.metrics["weights"] == backbone.parameters + 170
    assert result.metrics["test_accuracy"] > 0.1
    with pytest.raises(ImpossibleExperiment, match="made for pictures of at most 20"):
        catalog.check(asked.but(image_size=28))


def test_its_stages_say_what_the_file_says_and_new_ones_do_not(plain: Path, at_once: None) -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 20, 20, 1)).astype("float32")
    original = keras.models.load_model(plain)
    for cut in ("dense", "conv2"):
        backbone = catalog.backbone(f"file:{plain}@cut={cut}")
        wanted = np.asarray(keras.Model(original.inputs, original.get_layer(cut).output)(pixels))
        stages = backbone.build(20)
        assert tuple(stage.name for stage in stages) == backbone.stages
        flow = functools.partial(functools.reduce, lambda flowing, stage: stage(flowing, training=False), stages)
        wanted = wanted if wanted.ndim == 2 else wanted.mean(axis=(1, 2))
        assert not np.allclose(flow(pixels), wanted, atol=1e-3)
        backbone.pretrained.load(stages)
        np.testing.assert_allclose(flow(pixels), wanted, atol=1e-5)


def test_pixels_may_be_fed_in_another_range(plain: Path, at_once: None) -> None:
    stage = catalog.backbone(f"file:{plain}@pixels=-1..1").build(20)[0]
    assert stage.get_layer("own_range").scale == pytest.approx(1 / 127.5)
    with pytest.raises(RequestError, match="no such range"):
        catalog.backbone(f"file:{plain}@pixels=0..7")
    with pytest.raises(RequestError, match="cannot be cut there.*dense"):
        catalog.backbone(f"file:{plain}@cut=nowhere")


def test_a_network_without_a_size_takes_any(tmp_path: Path, at_once: None) -> None:
    pixels = keras.Input((None, None, 3))
    flowing = layers.Conv2D(4, 3, strides=2, name="low")(pixels)
    flowing = layers.Conv2D(6, 3, strides=2, name="high")(flowing)
    keras.Model(pixels, layers.GlobalAveragePooling2D()(flowing)).save(tmp_path / "any.keras")
    backbone = catalog.backbone(f"file:{tmp_path / 'any.keras'}")
    assert (backbone.size, backbone.largest) == (own_file.USUAL_SIZE, None)
    assert "0 to 1" in backbone.preprocessing, "nothing in it rescales"
    for size in (32, 64):
        stages = backbone.build(size)
        backbone.pretrained.load(stages)
        assert [stage.output_shape[-1] for stage in stages] == [4, 6]


def test_a_rescaling_inside_of_a_nested_network_is_seen(tmp_path: Path, at_once: None) -> None:
    inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Rescaling(1 / 255), layers.Conv2D(2, 3)], name="inner")
    pixels = keras.Input((16, 16, 3))
    keras.Model(pixels, layers.Dense(2)(layers.Flatten()(inner(pixels)))).save(tmp_path / "nested.keras")
    backbone = catalog.backbone(f"file:{tmp_path / 'nested.keras'}")
    assert "0 to 255" in backbone.preprocessing
    assert backbone.parameters == 56


def network(inputs: keras.KerasTensor, outputs: keras.KerasTensor, path: Path) -> Path:
    keras.Model(inputs, outputs).save(path)
    return path


class Own(layers.Layer):
    def call(self, inputs):
        return inputs * 2


def bad_files(folder: Path) -> dict[str, Path]:
    pixels, row = keras.Input((8, 8, 3)), keras.Input((8,))
    found = {
        "lambda": network(pixels, layers.Lambda(lambda one: one * 2)(layers.Conv2D(2, 3)(pixels)), folder / "a.keras"),
        "own_layer": network(pixels, Own()(layers.Conv2D(2, 3)(pixels)), folder / "b.keras"),
        "no_pictures": network(row, layers.Dense(2)(row), folder / "c.keras"),
        "old_lambda": folder / "d.h5",
        "torn": folder / "e.keras",
        "weights_only": folder / "f.weights.h5",
        "pickled": folder / "g.pkl",
        "other_zip": folder / "h.keras",
        "no_weights": network(pixels, layers.Flatten()(pixels), folder / "i.keras"),
    }
    keras.Model(pixels, layers.Lambda(lambda one: one * 2)(layers.Conv2D(2, 3)(pixels))).save(found["old_lambda"])
    found["torn"].write_bytes(found["no_pictures"].read_bytes()[:2000])
    keras.Model(pixels, layers.Conv2D(2, 3)(pixels)).save_weights(found["weights_only"])
    found["pickled"].write_bytes(pickle.dumps({"weights": 1}))
    with zipfile.ZipFile(found["other_zip"], "w") as file:
        file.writestr("config.json", "[]")
    return found


def test_what_cannot_be_taken_is_refused_in_words(tmp_path: Path, at_once: None) -> None:
    words = {
        "lambda": "program code",
        "own_layer": "not Keras' own",
        "no_pictures": "does not read pictures",
        "old_lambda": "program code",
        "torn": "damaged",
        "weights_only": "only weights",
        "pickled": "Python pickle.*run code",
        "other_zip": "weights are not in it",
        "no_weights": "no weights",
    }
    for kind, path in bad_files(tmp_path).items():
        for _ in range(2):  # the second time from what was kept
            with pytest.raises(RequestError, match=words[kind]) as refused:
                catalog.backbone(f"file:{path}")
            assert path.name in str(refused.value) and refused.value.remedy
    for path, said in ((tmp_path / "gone.keras", "no such file"), (tmp_path, "SavedModel")):
        with pytest.raises(RequestError, match=said):
            catalog.backbone(f"file:{path}")


def test_a_file_of_weights_is_read_into_its_network(tmp_path: Path) -> None:
    path = tmp_path / "own.weights.h5"
    network = keras.applications.MobileNetV3Small(
        include_top=False, weights=None, pooling="avg", input_shape=(32, 32, 3), include_preprocessing=False
    )
    network.save_weights(path)
    backbone = catalog.backbone(f"weights:{path}@mobilenet_v3_small")
    assert backbone.title == "MobileNetV3Small with own.weights.h5" and backbone.top1 is None
    stages = backbone.build(32)
    backbone.pretrained.load(stages)
    loaded = [weight for stage in stages for weight in stage.get_weights()]
    assert all(np.array_equal(one, other) for one, other in zip(loaded, network.get_weights(), strict=True))
    with pytest.raises(RunFailed, match="do not fit MobileNet"):
        catalog.backbone(f"weights:{path}@mobilenet").pretrained.load([])
    for key, words in ((f"{path}", "which network"), (f"{path}@vgg61", "vgg19"), ("none@vgg16", "no such file")):
        with pytest.raises(RequestError, match=words):
            catalog.backbone(f"weights:{key}")

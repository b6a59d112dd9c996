"""What a file is, by its bytes: networks under any name, and the true reason why another is no network."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from transfer import catalog
from transfer.backbones import form, saved_config
from transfer.errors import RequestError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one small network: ``net.keras``, ``net.h5`` and ``net.weights.h5``."""
    folder = tmp_path_factory.mktemp("whole")
    given = keras.Input((8, 8, 3))
    network = keras.Model(given, layers.Dense(2, name="scores")(layers.Flatten()(layers.Conv2D(2, 3)(given))))
    for name in ("net.keras", "net.h5"):
        network.save(folder / name)
    network.save_weights(folder / "net.weights.h5")
    return folder


def zipped(parts: dict[str, str]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name, content in parts.items():
                file.writestr(name, content)

    return write


def data_set(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["train_set_x"] = np.zeros(3)


KERAS_PARTS = {"config.json": "{}", "metadata.json": "{}", "model.weights.h5": ""}
OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.keras": (lambda path: path.touch(), "is empty"),
    "zeros.h5": (lambda path: path.write_bytes(bytes(900)), "damaged.*neither like a ZIP"),
    "noise.keras": (lambda path: path.write_bytes(b"\x13\x37" * 300), "damaged.*neither like a ZIP"),
    "picture.jpg": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0JFIF" * 9), "not a Keras network file"),
    "net.pt": (zipped({"net/data.pkl": "", "net/version": "3"}), "PyTorch"),
    "old.pt": (lambda path: path.write_bytes(pickle.dumps({"state": 1})), "pickle.*run code"),
    "pt.keras": (zipped({"archive/data.pkl": ""}), "PyTorch"),
    "net.onnx": (lambda path: path.write_bytes(b"\x08\x07\x12\x07pytorch\x1a\x03"), "ONNX"),
    "onnx.keras": (lambda path: path.write_bytes(b"\x08\x08\x12\x07pytorch\x1a\x03"), "ONNX"),
    "net.tflite": (lambda path: path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(40)), "TensorFlow Lite"),
    "net.safetensors": (lambda path: path.write_bytes(b"\x02" + bytes(7) + b"{}  "), "safetensors"),
    "web.keras": (lambda path: path.write_text("<!DOCTYPE html><html>"), "web page"),
    "lfs.keras": (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "Git LFS"),
    "net.json": (lambda path: path.write_text('{"class_name": "Functional"}'), "JSON.*no weights"),
    "arrays.npz": (lambda path: np.savez(path, a=np.zeros(3)), "NumPy arrays"),
    "saved.zip": (zipped({"net/saved_model.pb": ""}), "zipped SavedModel"),
    "words.keras": (zipped({"word/document.xml": ""}), "not one that Keras wrote"),
    "bare.keras": (zipped({"config.json": "{}"}), "weights are not in it"),
    "hollow.keras": (zipped(KERAS_PARTS), "does not describe a Keras network"),
    "up.keras": (zipped({**KERAS_PARTS, "../../up.txt": ""}), "leads outside it.*up.txt"),
    "root.keras": (zipped({**KERAS_PARTS, "/etc/cron.d/a": ""}), "leads outside it.*cron"),
    "drive.keras": (zipped({**KERAS_PARTS, "C:\\a.txt": ""}), "leads outside it"),
    "back.keras": (zipped({**KERAS_PARTS, "assets\\..\\..\\a": ""}), "leads outside it"),
    "data.h5": (data_set, "contains no network.*train_set_x"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_network_is_told_by_its_bytes(name: str, tmp_path: Path) -> None:
    write, said = OTHERS[name]
    write(tmp_path / name)
    with pytest.raises(RequestError, match=said) as refused:
        form.config_of(tmp_path / name, form.form(tmp_path / name))
    assert name in str(refused.value) and refused.value.remedy


@pytest.mark.parametrize(
    ("given", "name"),
    [("net.h5", "net.keras"), ("net.keras", "net.h5"), ("net.keras", "net.keras.zip"), ("net.h5", "net")],
)
def test_a_file_may_have_any_name(whole: Path, given: str, name: str, tmp_path: Path, at_once: None) -> None:
    shutil.copy(whole / given, tmp_path / name)
    assert catalog.backbone(f"file:{tmp_path / name}").parameters == 56


@pytest.mark.parametrize("name", ["model.h5", "only.weights.h5", "weights.hdf5", "weights.keras"])
def test_weights_alone_are_told_under_any_name(whole: Path, name: str, tmp_path: Path) -> None:
    shutil.copy(whole / "net.weights.h5", tmp_path / name)
    with pytest.raises(RequestError, match="only weights.*weights:<path>@<backbone>"):
        form.form(tmp_path / name)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95, 0.999])
def test_a_file_that_was_cut_short_is_called_damaged(
    whole: Path,
    name: str,
    share: float,
    tmp_path: Path,
    at_once: None,
) -> None:
    content = (whole / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(RequestError, match=rf"damaged.*{name}"):
        catalog.backbone(f"file:{tmp_path / name}")


def test_a_zip_with_a_wrong_byte_is_called_damaged(whole: Path, tmp_path: Path, at_once: None) -> None:
    content = bytearray((whole / "net.keras").read_bytes())
    at = content.index(b"\x89HDF") + 5000
    content[at : at + 400] = bytes(400 * [7])
    (tmp_path / "net.keras").write_bytes(content)
    with pytest.raises(RequestError, match="damaged.*checksum of model.weights.h5"):
        catalog.backbone(f"file:{tmp_path / 'net.keras'}")


def edited(source: Path, output: Path, change: Callable[[dict], None], version: str = "3.99.0") -> Path:
    """The network with another description, as another version of Keras would write it."""
    if source.suffix == ".h5":
        shutil.copy(source, output)
        with h5py.File(output, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), version
        return output
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(output, "w") as made:
        for name in given.namelist():
            content = given.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config)
                content = json.dumps(config).encode()
            made.writestr(name, json.dumps({"keras_version": version}) if name == "metadata.json" else content)
    return output


def set_in(kind: str, **settings: object) -> Callable[[dict], None]:
    def change(config: dict) -> None:
        [layer] = [one for one in saved_config._objects(config) if one["class_name"] == kind]
        layer["config"] |= settings

    return change


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
@pytest.mark.parametrize("value", [None, False, [], ""])
def test_unknown_settings_that_are_off_are_ignored_and_said(
    whole: Path,
    name: str,
    value: object,
    tmp_path: Path,
    at_once: None,
) -> None:
    from transfer.backbones import own_file

    path = edited(whole / name, tmp_path / name, set_in("Dense", newest=value))
    assert catalog.backbone(f"file:{path}").parameters == 56
    assert "newest of Dense" in own_file.description(path)["notes"][0]


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_an_unknown_setting_at_work_is_the_reason_given(
    whole: Path,
    name: str,
    tmp_path: Path,
    at_once: None,
) -> None:
    path = edited(whole / name, tmp_path / name, set_in("Conv2D", twist=3))
    with pytest.raises(RequestError, match=r"does not know.*twist=3 of conv2d.*saved by Keras 3\.99\.0; here it is"):
        catalog.backbone(f"file:{path}")


def test_a_layer_of_a_later_keras_is_the_reason_given(whole: Path, tmp_path: Path, at_once: None) -> None:
    def change(config: dict) -> None:
        set_in("Flatten")(config)
        next(one for one in saved_config._objects(config) if one["class_name"] == "Flatten")["class_name"] = "Folded"

    for name in ("net.keras", "net.h5"):
        with pytest.raises(RequestError, match="Folded"):
            catalog.backbone(f"file:{edited(whole / name, tmp_path / name, change)}")


@pytest.mark.parametrize("kind", sorted(saved_config.CODE))
def test_code_is_found_before_keras_reads_the_file(
    whole: Path,
    kind: str,
    tmp_path: Path,
    at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def change(config: dict) -> None:
        layer = next(one for one in saved_config._objects(config) if one["class_name"] == "Flatten")
        layer["class_name"] = kind

    loaded: list[object] = []
    monkeypatch.setattr(keras.models, "load_model", lambda *given, **named: loaded.append(given))
    for name in ("net.keras", "net.h5"):
        with pytest.raises(RequestError, match=f"program code.*not opened.*{kind}"):
            catalog.backbone(f"file:{edited(whole / name, tmp_path / name, change)}")
    assert not loaded


def refused_forms() -> dict[str, tuple[keras.Model, str]]:
    picture, row = keras.Input((8, 8, 3)), keras.Input((3,))
    first = keras.Input((3, 8, 8))
    mean = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3)(picture))
    return {
        "several inputs": (keras.Model([picture, row], layers.Dense(2)(layers.Concatenate()([mean, row]))), "several"),
        "channels first": (keras.Model(first, layers.Dense(2)(layers.Flatten()(first))), "channels first"),
        "classifier alone": (keras.Model(picture, layers.Dense(2)(layers.Flatten()(picture))), "only a classifier"),
        "four channels": (keras.Model(four := keras.Input((8, 8, 4)), layers.Conv2D(2, 3)(four)), "no.*pictures"),
        "half a size": (keras.Model(half := keras.Input((8, None, 3)), layers.Conv2D(2, 3)(half)), "not both"),
    }


def test_networks_the_lab_cannot_feed_are_refused_in_words(tmp_path: Path, at_once: None) -> None:
    for name, (network, said) in refused_forms().items():
        network.save(tmp_path / f"{name}.keras")
        with pytest.raises(RequestError, match=said.replace("no.*pictures", "does not read pictures")):
            catalog.backbone(f"file:{tmp_path / name}.keras")


@keras.saving.register_keras_serializable("mine")
class Mine(keras.Model):
    def __init__(self, **named: object) -> None:
        super().__init__(**named)
        self.low = layers.Conv2D(2, 3)

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        return self.low(inputs)


def test_a_model_class_of_ones_own_is_refused(tmp_path: Path, at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Mine()
    network(np.zeros((1, 8, 8, 3)))
    network.save(tmp_path / "own.keras")
    registered = dict(keras.saving.get_custom_objects())
    # The lab does not know the class: it was registered where the network was made.
    monkeypatch.delitem(keras.saving.get_custom_objects(), "mine>Mine")
    monkeypatch.setattr("tests.test_network_bytes.Mine", None)
    with pytest.raises(RequestError, match="not Keras' own"):
        catalog.backbone(f"file:{tmp_path / 'own.keras'}")
    assert "mine>Mine" in registered

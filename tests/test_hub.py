"""Presets of KerasHub: small networks under real names, in the library's own cache or from a local Kaggle."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from transfer import Experiment, catalog, separate_process, train
from transfer.backbones import hub
from transfer.backbones.described import cuts
from transfer.errors import DownloadFailed, RequestError
from transfer.fetching import telling

from .local_kaggle import filled, serving, unplugged

RESNET, VIT = "resnet_18_imagenet", "vit_base_patch16_224_imagenet"
SCALE, OFFSET = [0.01, 0.02, 0.03], [-1.0, -2.0, -3.0]


@pytest.fixture(scope="module")
def presets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files as the library publishes them, of networks small enough for a test."""
    import keras_hub
    from keras_hub.layers import ResNetImageConverter, ViTImageConverter

    resnet = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64], input_conv_kernel_sizes=[3], stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1], stackwise_num_strides=[1, 2], block_type="basic_block",
    )  # fmt: skip
    vit = keras_hub.models.ViTBackbone((32, 32, 3), 8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32)
    folders = {}
    for preset, network, converter in (
        (RESNET, resnet, ResNetImageConverter(image_size=(64, 64), scale=SCALE, offset=OFFSET)),
        (VIT, vit, ViTImageConverter(image_size=(32, 32), scale=1 / 255)),
    ):
        folders[preset] = tmp_path_factory.mktemp(preset)
        network.save_to_preset(str(folders[preset]))
        converter.save_to_preset(str(folders[preset]))
    return folders


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the library's, and the library asked here, which saves the start of a process."""
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setattr(hub, "asked", separate_process.here)
    return tmp_path / "kaggle"


@pytest.mark.parametrize(("preset", "size"), [(RESNET, 64), (VIT, 32)])
def test_a_preset_gives_what_the_library_gives(presets: dict[str, Path], preset: str, size: int) -> None:
    import keras_hub

    filled(presets[preset], preset)
    backbone = catalog.backbone(f"hub:{preset}")
    stages = backbone.build(backbone.size)
    assert backbone.size == size and len(stages) == len(backbone.stages) > 1
    assert sum(stage.count_params() for stage in stages) == backbone.parameters
    assert backbone.pretrained is not None
    backbone.pretrained.load(stages)
    found = pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3)).astype("float32")
    for stage in stages:
        found = stage(found)
    converted = pixels * SCALE + OFFSET if preset == RESNET else pixels / 255
    theirs = np.asarray(keras_hub.models.Backbone.from_preset(str(presets[preset]))(converted))
    expected = theirs.mean(axis=tuple(range(1, theirs.ndim - 1)))
    assert np.allclose(np.asarray(found), expected, atol=1e-4)


def test_it_can_be_cut_and_trains(presets: dict[str, Path]) -> None:
    filled(presets[RESNET], RESNET)
    known = hub.description(RESNET)
    cut = cuts(known)[-3]
    result = train(
        Experiment(target="textures", backbone=f"hub:{RESNET}@cut={cut}", strategy="feature_extraction", epochs=1,
                   labels_per_class=1, image_size=32)
    )  # fmt: skip
    assert 0 <= result.metrics["test_accuracy"] <= 1
    assert f"hub:{RESNET}" in [one.key for one in catalog.own_backbones()]
    with pytest.raises(RequestError, match="cannot be cut there"):
        catalog.backbone(f"hub:{RESNET}@cut=nowhere")


def test_what_is_no_network_for_pictures_or_not_there_is_refused(presets: dict[str, Path]) -> None:
    with pytest.raises(RequestError, match="resnet_18_imagenet"):
        catalog.backbone("hub:resnet_18_imagnet")
    with pytest.raises(RequestError, match="not a name of"):
        catalog.backbone("hub:../evil")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match="pip install 'keras-hub"):
        catalog.backbone(f"hub:{RESNET}")


def test_damaged_weights_are_removed_and_said(presets: dict[str, Path]) -> None:
    place = filled(presets[RESNET], RESNET)
    backbone = catalog.backbone(f"hub:{RESNET}")
    (place / "model.weights.h5").write_bytes(b"torn")
    assert backbone.pretrained is not None
    with pytest.raises(DownloadFailed, match="could not be fetched or read"):
        backbone.pretrained.load(backbone.build(32))
    assert not place.exists()


@pytest.fixture
def kaggle(presets: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A small Kaggle on this machine; the names of the files that were asked for. What it serves, breaks off once."""
    with serving(presets[RESNET], monkeypatch) as asked:
        yield asked


def test_a_download_is_told_and_goes_on_where_it_broke_off(presets: dict[str, Path], kaggle: list[str]) -> None:
    said: list[tuple[str, int, int]] = []
    backbone = catalog.backbone(f"hub:{RESNET}")
    assert "model.weights.h5 from 0" not in kaggle  # what it is, is known before its weights are fetched
    assert backbone.pretrained is not None
    stages = backbone.build(32)
    with pytest.raises(DownloadFailed, match="it resumes where it broke off"):
        backbone.pretrained.load(stages)
    with telling(lambda *told: said.append(told)):
        backbone.pretrained.load(stages)
    half = (presets[RESNET] / "model.weights.h5").stat().st_size // 2
    assert f"model.weights.h5 from {half // 1_000 * 1_000}" in kaggle
    assert said and said[-1][0] == f"downloading {RESNET}" and said[-1][1] == said[-1][2] > 0


def test_without_a_network_it_says_where_the_files_belong(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    unplugged(monkeypatch)
    with pytest.raises(RequestError, match=str(cache)):
        catalog.backbone(f"hub:{RESNET}")

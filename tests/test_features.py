"""The cache of frozen features: exact, quick the second time, never trusted when damaged."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import tiny
from transfer import Experiment, catalog, settings, train, whole_file
from transfer.backbones import Pretrained
from transfer.engine.network import features
from transfer.engine.network.network import Knowledge, Network
from transfer.engine.samples import arrays
from transfer.errors import DiskFull


def network_of_weights(size: int = 24) -> Network:
    """A small network on small grey pictures; its weights are the same each time."""

    def load(stages: list[keras.Model]) -> None:
        for stage in stages:
            random = np.random.default_rng(0)
            drawn = [random.uniform(0, 0.02, one.shape) for one in stage.get_weights()]
            stage.set_weights([one.astype("float32") for one in drawn])

    known = Pretrained("nothing", "these tests", "1", load)
    backbone = replace(catalog.backbone("small_cnn"), pretrained=known)
    return Network(backbone, (20, 20, 1), size, Knowledge("these tests", "1", own=True))


def pictures(count: int = 5) -> np.ndarray:
    """Random grey pictures."""
    return np.random.default_rng(0).integers(0, 255, (count, 20, 20, 1)).astype("uint8")


def silent(done: int, total: int) -> None:
    """Takes progress and says nothing."""


def test_cached_features_are_exact_and_the_second_time_no_weight_is_loaded() -> None:
    network, inputs = network_of_weights(), pictures()
    names = list(network.backbone.stages)
    (first,) = features.cached(network, names, [inputs], silent, size=2)
    flowing = network.entrance(inputs)
    for stage in network.stages:
        flowing = stage(flowing, training=False)
    np.testing.assert_allclose(first, np.array(flowing), atol=1e-5)
    again = network_of_weights()
    np.testing.assert_array_equal(features.cached(again, names, [inputs], silent)[0], first)
    assert "stages" not in vars(again)


def test_weights_size_and_samples_each_make_features_of_their_own() -> None:
    names = list(network_of_weights().backbone.stages)
    for network, inputs in (
        (network_of_weights(), pictures()),
        (network_of_weights(40), pictures()),
        (network_of_weights(), pictures(4)),
    ):
        features.cached(network, names, [inputs], silent)
    other = network_of_weights()
    other.touched.append("conv1")
    other.stages[0].trainable_variables[0].assign(other.stages[0].trainable_variables[0] * 1.01)
    features.cached(other, names, [pictures()], silent)
    assert len(list(settings.cache("features").glob("*.npz"))) == 4


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-500] + b"x" + data[-499:]])
def test_a_damaged_cache_file_is_rebuilt(damage: Callable[[bytes], bytes]) -> None:
    network, inputs = network_of_weights(), pictures()
    names = list(network.backbone.stages)
    (first,) = features.cached(network, names, [inputs], silent)
    (file,) = settings.cache("features").glob("*.npz")
    file.write_bytes(damage(file.read_bytes()))
    np.testing.assert_array_equal(features.cached(network_of_weights(), names, [inputs], silent)[0], first)
    arrays.read(file)


def test_a_full_disk_leaves_nothing_half_written_and_the_cache_does_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_file.os, "replace", full)
    with pytest.raises(DiskFull, match="Free some space"):
        arrays.write(settings.home() / "x.npz", {"a": np.zeros(3)})
    network = network_of_weights()
    (found,) = features.cached(network, list(network.backbone.stages), [pictures()], silent)
    assert found.shape == (5, 64)
    assert not list(settings.home().rglob("*.part"))
    assert not list(settings.home().rglob("*.npz"))


FROZEN = Experiment(
    target=tiny.TARGET, backbone=tiny.PRETRAINED, strategy="feature_extraction", epochs=3, labels_per_class=8
)


def test_a_run_with_cached_features_gives_the_same_curve_as_one_without(
    world: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = train(FROZEN).history
    assert list((home / "cache").glob("features/*.npz"))
    monkeypatch.setattr("transfer.engine.network.features.fits", lambda *_: False)
    plain = train(FROZEN).history
    assert len(cached) == len(plain) > 6
    for column in ("loss", "accuracy"):
        np.testing.assert_allclose(cached[column], plain[column], atol=1e-5)


def test_augmentation_switches_the_cache_off(world: None, home: Path) -> None:
    train(FROZEN.but(epochs=1, augment=True))
    assert not list((home / "cache").glob("features/*.npz"))

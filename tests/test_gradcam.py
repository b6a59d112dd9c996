"""Grad-CAM against maps known by construction, and against networks that have learned nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from transfer.engine.inspect import gradcam
from transfer.errors import RequestError

SIZE = 16
STRIPES = np.where(np.arange(SIZE) % 2 == 0, 255, 0)


def network() -> Any:
    """Sees upright stripes with its first channel, level ones with its second; their means are the classes' logits."""
    inputs = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    entrance = keras.Model(inputs, keras.ops.cast(inputs, "float32") / 255)
    entry = keras.Input((SIZE, SIZE, 1))
    kernel = np.zeros((1, 3, 1, 2), "float32"), np.zeros((3, 1, 1, 2), "float32")
    kernel[0][0, :, 0, 0], kernel[1][:, 0, 0, 1] = (-1, 2, -1), (-1, 2, -1)
    across = keras.layers.Conv2D(2, (1, 3), padding="same", use_bias=False)
    down = keras.layers.Conv2D(2, (3, 1), padding="same", use_bias=False)
    seen = keras.layers.ReLU()(keras.layers.Add()([across(entry), down(entry)]))
    low = keras.Model(entry, seen, name="low")
    across.set_weights([kernel[0]])
    down.set_weights([kernel[1]])
    entry = keras.Input((SIZE, SIZE, 2))
    top = keras.Model(entry, keras.layers.GlobalAveragePooling2D()(entry), name="top")
    head = keras.layers.Dense(2, use_bias=False)
    head.build((None, 2))
    head.set_weights([np.array([[1.0, -1.0], [-1.0, 1.0]], "float32")])
    stages = {"low": low, "top": top}
    inside = SimpleNamespace(
        entrance=entrance, names=tuple(stages), stages=[low, top], named=lambda names: [(n, stages[n]) for n in names]
    )
    return SimpleNamespace(network=inside, head=head)


@pytest.fixture(scope="module")
def halves() -> np.ndarray:
    """Upright stripes in the left half, level ones in the right."""
    picture = np.zeros((SIZE, SIZE, 1), "uint8")
    picture[:, : SIZE // 2, 0] = STRIPES[None, : SIZE // 2]
    picture[:, SIZE // 2 :, 0] = STRIPES[:, None]
    return picture


def test_the_map_lies_on_the_half_that_carries_the_class(halves):
    look = gradcam.looker(network(), "low")
    left, right = look(halves, 0).heat, look(halves, 1).heat
    assert left[:, : SIZE // 2].sum() > 0.9 * left.sum() > 0
    assert right[:, SIZE // 2 :].sum() > 0.9 * right.sum() > 0


def test_with_a_mean_and_one_layer_above_it_is_the_class_activation_map(halves):
    made = network()
    maps = np.asarray(made.network.stages[0](made.network.entrance(halves[None])))[0]
    expected = np.maximum(maps @ np.array([1.0, -1.0]), 0)
    found = gradcam.looker(made, "low")(halves, 0)
    assert found.heat == pytest.approx(expected / expected.max(), abs=1e-5)
    assert found.features == pytest.approx(maps.mean((0, 1)), abs=1e-6)
    assert found.logits == pytest.approx(maps.mean((0, 1)) @ np.array([[1, -1], [-1, 1]]), abs=1e-6)


def test_without_a_target_the_class_it_says_is_followed(halves):
    look = gradcam.looker(network(), "low")
    said = int(look(halves).logits.argmax())
    assert np.array_equal(look(halves).heat, look(halves, said).heat)
    assert not np.array_equal(look(halves).heat, look(halves, 1 - said).heat)


def test_with_weights_drawn_anew_the_map_changes(halves):
    learned = gradcam.looker(network(), "low")(halves, 0).heat
    random, other = np.random.default_rng(0), network()
    for stage in other.network.stages:
        stage.set_weights([random.normal(size=one.shape) for one in stage.get_weights()])
    assert np.abs(gradcam.looker(other, "low")(halves, 0).heat - learned).mean() > 0.1


def test_nothing_speaks_for_a_class_in_a_blank_picture(halves):
    assert not gradcam.looker(network(), "low")(np.zeros_like(halves), 0).heat.any()


def test_before_a_head_has_learned_the_size_of_the_features_is_followed(halves):
    made = network()
    made.head.set_weights([np.zeros((2, 2), "float32")])
    assert not gradcam.looker(made, "low")(halves, 0).heat.any()
    assert gradcam.looker(made, "low", features=True)(halves, 0).heat.max() == 1


def test_a_stage_without_a_map_is_refused_with_those_that_have_one():
    made = network()
    assert gradcam.stages(made) == {"low": (SIZE, SIZE)}
    with pytest.raises(RequestError, match="low"):
        gradcam.looker(made, "top")

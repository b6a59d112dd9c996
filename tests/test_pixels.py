"""The range of pixels a network was made for: told by numbers, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from transfer.backbones import pixels
from transfer.backbones.described import doubts, fed, understood, usual_pixels
from transfer.errors import RequestError

CAFFE = np.array([103.939, 116.779, 123.68])
STEPS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str | None]] = {
    "as it is": (lambda one: one, None),
    "over 255": (lambda one: one / 255, "0..255"),
    "over 256": (lambda one: one / 256, "0..255"),
    "tf": (lambda one: one / 127.5 - 1, "0..255"),
    "torch": (lambda one: (one / 255 - 0.45) / 0.226, "0..255"),
    "caffe": (lambda one: one[..., ::-1] - CAFFE, "0..255"),
    "caffe from 1": (lambda one: one[..., ::-1] * 255 - CAFFE, "0..1"),
    "centred": (lambda one: one - 127.5, "0..255"),
    "dark X-rays": (lambda one: (one - 20) / 10, "0..255"),
    "normalized 1": (lambda one: (one - 0.47) / 0.25, "0..1"),
    "dark of 1": (lambda one: (one - 0.05) / 0.1, "0..1"),
    "halves": (lambda one: one - 0.5, "0..1"),
    "to -1 from 1": (lambda one: one * 2 - 1, "0..1"),
    "to 255 from 1": (lambda one: one * 255, "0..1"),
    "to 1 from -1": (lambda one: (one + 1) / 2, "-1..1"),
    "to 255 from -1": (lambda one: (one + 1) * 127.5, "-1..1"),
    "normalized -1": (lambda one: (one + 0.1) / 0.6, "-1..1"),
    "negative": (lambda one: 1 - one / 255, "0..255"),
    "one channel": (lambda one: one.mean(-1, keepdims=True) / 255, "0..255"),
    "padded": (lambda one: np.pad(one / 255, ((0, 0), (3, 3), (3, 3), (0, 0))), "0..255"),
    "black": (lambda one: one * 0, None),
    "bent": (lambda one: np.log1p(one), None),
    "clipped": (lambda one: np.clip(one, 0, 1), None),
    "no numbers": (lambda one: one / 0 * 0, None),
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_range_is_told_by_what_becomes_of_plain_pictures(name: str) -> None:
    step, told = STEPS[name]
    assert pixels.told_by([step], 6, 6, 3) == told


def test_what_is_undone_again_is_told_by_the_steps_between() -> None:
    assert pixels.told_by([lambda one: one, lambda one: one * 255, lambda one: one], 6, 6, 3) == "0..1"


def answers(pictures: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What filters answer, places and pictures in one row a filter."""
    windows = sliding_window_view(pictures, kernel.shape[:2], (1, 2))
    return np.einsum("nhwcij,ijcf->fnhw", windows, kernel).reshape(kernel.shape[-1], -1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_a_range_is_estimated_from_batch_statistics(channels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    light = random.beta(1.2, 1.4, (60, 1, 1, 1)) * 255
    pictures = np.clip(light + random.normal(0, 40, (60, 8, 8, channels)), 0, 255)
    kernel, bias = random.normal(0, 0.3, (3, 3, channels, 16)), random.normal(0, 0.1, 16)
    for name in pixels.offered(channels):
        way = pixels.PIXELS[name]
        given = pictures[..., ::-1] if way.blue_first else pictures
        found = answers(given * np.array(way.scale) + np.array(way.offset), kernel) + bias[:, None]
        assert pixels.told_by_statistics(kernel, bias, found.mean(1), found.var(1)) == name


def test_statistics_that_were_never_trained_tell_nothing() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 8))
    assert pixels.told_by_statistics(kernel, 0.0, np.zeros(8), np.ones(8)) is None
    blind = kernel - kernel.mean((0, 1, 2))
    assert pixels.told_by_statistics(blind, 0.0, np.ones(8), np.ones(8)) is None, "edges see no brightness"


def known(**changes: object) -> dict:
    layers = [{"name": "low", "cut": True}, {"name": "scores", "cut": True}]
    found = {"size": 64, "input": [64, 64], "channels": 3, "pixels": None, "told": "", "classifier": "scores"}
    return found | {"classes": 2, "layers": layers, "notes": ["Left out."]} | changes


def test_what_was_understood_is_said_in_plain_words() -> None:
    assert understood(known()) == [
        "It reads colour pictures of 64 × 64 pixels.",
        "It does not tell which pixels it was trained on: 0 to 1 is assumed. If that is wrong, choose another range, "
        "or its features will be poor.",
        "Its classifier (scores, 2 classes) is left out; features are the output of low.",
        "Left out.",
    ]
    said = understood(known(input=[48, 64], channels=1, pixels="-1..1", told="statistics", classifier=None, notes=[]))
    assert said[:2] == ["It reads grey pictures of 48 × 64 pixels.", "Pictures are stretched to this shape."]
    assert "-1 to 1, estimated" in said[2] and "nothing is left out" in said[3]
    assert "any size" in understood(known(size=None, input=[None, None], pixels="0..255", told="preprocessing"))[0]


def test_an_assumed_range_is_called_assumed_until_one_is_chosen() -> None:
    assert "assumed" in fed(known(), "") and "assumed" not in fed(known(), "0..1")
    assert "assumed" not in fed(known(pixels="0..255"), "")
    assert doubts(known(), "") == ("The network does not tell its pixel range: 0 to 1 is assumed.", "Left out.")
    assert doubts(known(), "0..1") == doubts(known(pixels="0..1"), "") == ("Left out.",)
    assert usual_pixels(known()) == "0..1" and usual_pixels(known(pixels="caffe")) == "caffe"
    with pytest.raises(RequestError, match="no such range.*0..255, 0..1, -1..1"):
        fed(known(channels=1), "caffe")


def named(pooling: str, dense: str) -> object:
    import keras
    from keras import layers

    given = keras.Input((16, 16, 3))
    flowing = layers.Conv2D(4, 3, activation="relu")(given)
    flowing = layers.GlobalAveragePooling2D(name=pooling)(flowing)
    return keras.Model(given, layers.Dense(3, name=f"{dense}2")(layers.Dense(8, name=f"{dense}1")(flowing)))


def test_teachable_machines_networks_are_known_by_their_names_where_no_number_tells() -> None:
    from transfer.backbones.inspect_file import told_pixels

    theirs = "global_average_pooling2d_GlobalAveragePooling2D1", "dense_Dense"
    assert told_pixels(named(*theirs)) == ("-1..1", "maker")
    assert told_pixels(named("global_average_pooling2d_1", "dense_")) == (None, "")
    known = {"size": 224, "channels": 3, "pixels": "-1..1", "told": "maker", "layers": [], "classifier": None}
    said = understood(known)
    assert "It is fed pixels of -1 to 1" in " ".join(said) and "Teachable Machine" in " ".join(said)

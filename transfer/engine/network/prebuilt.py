"""Networks with their own weights, built and traced while nobody waits: by a standby, before it knows its run."""

from __future__ import annotations

import random
from collections.abc import Sequence

import keras
import numpy as np

from transfer import catalog
from transfer.backbones import Backbone

TRACED = 64

_ready: dict[tuple[str, int, str], keras.Sequential] = {}
_given: list[keras.Sequential] = []


def prepare() -> None:
    """Builds the shipped networks at the size they are fed by default, and traces them."""
    for backbone in catalog.backbones().values():
        own = backbone.pretrained
        # What begins at random in part is drawn anew in each run.
        if own is not None and not own.download_mb and not own.stages:
            whole = keras.Sequential(_build(backbone, backbone.size))
            blank = np.zeros((TRACED, *whole.input_shape[1:]), whole.inputs[0].dtype)
            whole.predict_on_batch(blank)
            _ready[_key(backbone, backbone.size)] = whole


def own(backbone: Backbone, size: int) -> list[keras.Model]:
    """The stages with the backbone's own weights; what was built beforehand is given away once.

    What is drawn at random afterwards is the same in either case.
    """
    drawn = random.getstate()
    whole = _ready.pop(_key(backbone, size), None)
    if whole is not None:
        _given.append(whole)
    stages = list(whole.layers) if whole is not None else _build(backbone, size)
    random.setstate(drawn)
    return stages


def joined(stages: Sequence[keras.Model]) -> keras.Sequential:
    """These stages one after another; traced already if they were built beforehand and none is left out."""
    for whole in _given:
        if whole.layers == list(stages):
            return whole
    return keras.Sequential(stages)


def _build(backbone: Backbone, size: int) -> list[keras.Model]:
    stages = backbone.build(size)
    assert backbone.pretrained is not None
    backbone.pretrained.load(stages)
    return stages


def _key(backbone: Backbone, size: int) -> tuple[str, int, str]:
    return backbone.key, size, keras.config.dtype_policy().name

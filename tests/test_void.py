"""Strategies that would do nothing to a network are refused, before a run where that is known, else as it begins."""

from __future__ import annotations

from dataclasses import replace

import keras
import pytest
from keras import layers

from transfer import Experiment, catalog, possible, void
from transfer.engine.network import void as seen
from transfer.errors import ImpossibleExperiment

ASKED = Experiment(source="mnist_5k", labels_per_class=2)
ON_BATCH_NORM = ("tent", "adabn", "stoch_norm")
ON_ATTENTION = {key for key, one in catalog.strategies().items() if one.works_on == "attention"}


def refused(backbone: str, strategy: str, **options: str) -> bool:
    """Whether that strategy is refused on that network for what the network lacks."""
    free = 0 if catalog.strategy(strategy).unlabelled else 2
    asked = ASKED.but(backbone=backbone, strategy=strategy, labels_per_class=free, options=options)
    try:
        catalog.check(asked)
    except ImpossibleExperiment as problem:
        assert "would have no effect of its own" in str(problem) and "Choose a backbone with" in str(problem)
        return True
    return False


@pytest.mark.parametrize(
    ("backbone", "void_ones"),
    [
        ("small_cnn", ()),
        ("efficientnet_lite0", ()),
        ("mobilenet_v2", ()),
        ("dense", (*ON_BATCH_NORM, "norm_tuning", "attention_transfer")),
        ("vgg16", (*ON_BATCH_NORM, "norm_tuning")),
        ("convnext_tiny", ON_BATCH_NORM),
    ],
)
def test_every_strategy_is_refused_where_it_would_do_nothing_and_nowhere_else(
    backbone: str, void_ones: tuple[str, ...]
) -> None:
    keys = [key for key, one in catalog.strategies().items() if not {"class names", "language"} & set(one.needs)]
    keys = [key for key in keys if not (key == "partial" and backbone == "dense")]
    assert {key for key in keys if refused(backbone, key)} == set(void_ones) | ON_ATTENTION


def test_a_teacher_without_rows_and_columns_cannot_say_where_to_look() -> None:
    assert refused("small_cnn", "attention_transfer", teacher="dense")
    assert not refused("small_cnn", "fitnets", teacher="dense")


def test_partial_transfer_of_a_single_stage_has_to_say_so() -> None:
    with pytest.raises(ImpossibleExperiment, match="only one stage.*Set keep=hidden"):
        catalog.check(ASKED.but(backbone="dense", strategy="partial"))
    catalog.check(ASKED.but(backbone="dense", strategy="partial", options={"keep": "hidden"}))


def test_what_is_possible_instead_is_offered() -> None:
    words = [one for one, _ in possible.nearest(ASKED.but(backbone="dense", strategy="norm_tuning").model_dump())]
    assert "Use fine-tuning" in words or "Use EfficientNet-Lite0" in words


def stage(*several: layers.Layer) -> keras.Model:
    """A stage of these layers on small pictures."""
    return keras.Sequential([keras.Input((4, 4, 2)), *several])


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (stage(layers.BatchNormalization()), {"batch norm", "normalisation", "biases", "maps"}),
        (stage(layers.BatchNormalization(center=False, scale=False)), {"batch norm", "maps"}),
        (stage(layers.LayerNormalization()), {"normalisation", "biases", "maps"}),
        (stage(layers.GroupNormalization(1, center=False)), {"normalisation", "maps"}),
        (stage(layers.Conv2D(2, 1, use_bias=False)), {"kernels", "maps"}),
        (stage(layers.Rescaling(2.0), layers.Normalization(), layers.Flatten()), set()),
        (stage(stage(layers.DepthwiseConv2D(2)), layers.Flatten(), layers.Dense(2)), {"kernels", "biases"}),
    ],
    ids=["batch norm", "bare batch norm", "layer norm", "group norm", "no bias", "nothing", "nested"],
)
def test_a_network_that_nobody_knows_is_looked_into(made: keras.Model, expected: set[str]) -> None:
    assert seen.parts([made]) == expected
    unknown = replace(catalog.backbone("small_cnn"), parts=None)
    for key, strategy in catalog.strategies().items():
        void.check(strategy(), unknown)
        if strategy.works_on is not None and strategy.works_on not in expected:
            with pytest.raises(ImpossibleExperiment, match=f"strategy {key}"):
                seen.check(strategy(), unknown, [made])
        else:
            seen.check(strategy(), unknown, [made])


@pytest.mark.parametrize("key", ["small_cnn", "dense"])
def test_what_is_said_of_a_network_is_what_its_layers_have(key: str) -> None:
    backbone = catalog.backbone(key)
    assert seen.parts(backbone.build(32)) == backbone.parts

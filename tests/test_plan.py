"""What is told before a run: the fate of every stage, and what the run will take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import tiny
from transfer import Experiment, catalog, train
from transfer.engine.measure.estimate import estimate
from transfer.insight.plan import fates, usual_rate

ASKED = Experiment(target="optdigits", source="mnist_5k", source_epochs=1, epochs=10, labels_per_class=2, batch_size=10)


def told(strategy: str, **options: object) -> dict[str, tuple[str, str]]:
    """Kind and words of each stage's fate."""
    return {one.stage: (one.kind, one.words) for one in fates(ASKED.but(strategy=strategy, options=options), 10)}


def test_the_fate_of_every_stage_in_words() -> None:
    assert told("feature_extraction")["conv1"] == ("frozen", "frozen")
    assert told("feature_extraction")["head"] == ("trained", "the source's, rate 0.001")
    assert told("feature_extraction", head="new")["head"] == ("new", "new, rate 0.001")
    assert told("from_scratch")["dense"] == ("new", "new, rate 0.003")
    assert told("fine_tuning", head="new")["conv2"] == ("trained", "rate 0.0001, from epoch 3")
    cut = told("partial", keep="conv2", above="dropped")
    assert [cut[name][0] for name in ("conv1", "conv2", "conv3", "dense")] == ["frozen", "frozen", "dropped", "dropped"]
    assert told("partial", keep="conv2")["conv3"] == ("new", "new, rate 0.001")
    assert told("lora")["conv1"] == ("partly", "low-rank updates, rate 0.001")
    assert told("gradual_unfreezing")["conv1"][1].endswith("from epoch 8")


@pytest.mark.parametrize(
    "strategy",
    [
        one.key
        for one in catalog.strategies().values()
        if not {"class names", "language"} & set(one.needs) and one.works_on != "attention"
    ],
)
def test_every_strategy_has_a_fate_for_every_stage(strategy: str) -> None:
    assert list(told(strategy)) == ["conv1", "conv2", "conv3", "dense", "head"]
    assert usual_rate(ASKED.but(strategy=strategy, learning_rate=7.0), 10) < 0.1, "whatever rate was asked for"


def test_an_estimate_counts_the_head_of_imagenet(world: None, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = replace(
        catalog.backbone(tiny.PRETRAINED), source_head=lambda: (np.zeros((16, 1000), "float32"), np.zeros(1000))
    )
    monkeypatch.setitem(catalog.backbones(), tiny.PRETRAINED, backbone)
    asked = Experiment(target=tiny.TARGET, backbone=tiny.PRETRAINED, strategy="co_tuning", labels_per_class=1)
    assert estimate(asked, 10).weights == backbone.parameters + 16 * 10 + 10 + 16 * 1000 + 1000


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for what the source teaches."""
    return tmp_path_factory.mktemp("learned")


@pytest.mark.parametrize("strategy", ["lora", "distillation", "co_tuning", "feature_extraction"])
def test_an_estimate_counts_weights_as_the_run_does(
    world: None, learned: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(learned))
    asked = ASKED.but(
        strategy=strategy, epochs=1, target=tiny.TARGET, source=tiny.SOURCE, backbone=tiny.NETWORK, batch_size=10
    )
    found, real = estimate(asked, 20), train(asked).metrics
    assert (found.trainable, found.weights) == (real["trainable_weights"], real["weights"])
    assert 0 < found.seconds < 120
    assert found.memory_mb > 100

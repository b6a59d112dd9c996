"""Networks built beforehand: given away once, and nothing drawn later differs."""

from __future__ import annotations

import random
import shutil

import numpy as np
import pytest

from transfer import Experiment, catalog, settings, train
from transfer.engine.network import prebuilt


@pytest.fixture(autouse=True)
def nothing_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins as a process without a standby's work."""
    monkeypatch.setattr(prebuilt, "_ready", {})
    monkeypatch.setattr(prebuilt, "_given", [])


def test_what_was_built_beforehand_is_given_away_once_and_is_traced() -> None:
    prebuilt.prepare()
    lite = catalog.backbone("efficientnet_lite0")
    stages = prebuilt.own(lite, 96)
    assert tuple(stage.name for stage in stages) == lite.stages
    assert prebuilt.joined(stages) is prebuilt.joined(stages)
    assert prebuilt.joined(stages[:-1]).layers == stages[:-1]
    assert prebuilt.own(lite, 96)[0] is not stages[0]


def test_random_numbers_drawn_later_do_not_depend_on_it() -> None:
    lite = catalog.backbone("efficientnet_lite0")
    random.seed(3)
    prebuilt.own(lite, 32)
    drawn = random.random()
    random.seed(3)
    assert random.random() == drawn


def test_a_run_with_a_network_built_beforehand_gives_the_same_curve() -> None:
    asked = Experiment(target="faces", backbone="efficientnet_lite0", strategy="feature_extraction", epochs=2).but(
        options={"hidden": "8"}, labels_per_class=8
    )
    alone = train(asked).history
    shutil.rmtree(settings.cache("features"))
    prebuilt.prepare()
    beforehand = train(asked).history
    assert prebuilt._given
    for column in ("loss", "accuracy"):
        np.testing.assert_allclose(alone[column], beforehand[column], atol=1e-5)

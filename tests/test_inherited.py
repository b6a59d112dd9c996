"""A finished run's network as the backbone of another run, and of a third."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests import tiny
from transfer import Experiment, catalog, settings, train
from transfer.engine.inspect import rebuilt
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.samples import arrays
from transfer.errors import ImpossibleExperiment, RequestError

FIRST = Experiment(
    target=tiny.SOURCE, backbone=tiny.NETWORK, strategy="from_scratch", epochs=4, batch_size=20, seed=3, image_size=12
)


def trained(name: str, asked: Experiment) -> float:
    return train(asked, folder=settings.run_folder(name)).metrics["test_accuracy"]


def test_a_chain_of_runs_each_begins_where_the_last_ended(world: None) -> None:
    warm_up(lambda: True)
    before = trained("one", FIRST)
    second = FIRST.but(
        target=tiny.TARGET, backbone="run:one", image_size=None, strategy="lora", labels_per_class=2, batch_size=10
    )
    backbone = catalog.backbone("run:one")
    assert backbone.stages == tiny.STAGES
    assert (backbone.size, backbone.classes[9]) == (12, "9")
    assert backbone.title == f"Tiny CNN, then {tiny.SOURCE}"
    # With the same classes the head comes along: before its first step it is as good as the run was.
    trained("two", second)
    begun = rebuilt.untrained("two")
    tested = rebuilt.target_split(FIRST).test
    begun_on_first = (begun.logits(tested.inputs).argmax(1) == tested.labels).mean()
    assert begun_on_first == pytest.approx(before)
    third = second.but(target=f"{tiny.SOURCE}~inversion", backbone="run:two", strategy="feature_extraction")
    trained("three", third)
    assert catalog.backbone("run:three").title.startswith(f"{catalog.backbone('run:two').title}, then {tiny.SOURCE}")
    # The updates of the second are in the kernels of the third, which has none of its own.
    stages = dict(rebuilt.trained("three").network.named(backbone.stages))
    wanted = dict(rebuilt.trained("two").network.named(backbone.stages))
    np.testing.assert_allclose(stages["high"].get_weights()[0], wanted["high"].layers[1].kernel, atol=1e-6)
    logits = arrays.read(settings.run_folder("three") / "test.npz")["logits"]
    found = rebuilt.trained("three")
    np.testing.assert_allclose(found.logits(found.split.test.inputs[:64]), logits[:64], atol=1e-4)
    learned = json.loads((settings.run_folder("three") / "network.json").read_text())["learned"]
    assert learned == [[tiny.SOURCE, 3], [tiny.TARGET, 3], [f"{tiny.SOURCE}~inversion", 3]]
    with pytest.raises(ImpossibleExperiment, match="seen this run's test pictures"):
        catalog.check(FIRST.but(backbone="run:two", image_size=None, strategy="fine_tuning", seed=4))
    # A strategy that keeps the source's classes takes them from the run.
    catalog.check(second.but(strategy="tent", labels_per_class=0))


def test_a_run_that_left_no_network_is_refused_in_words() -> None:
    with pytest.raises(RequestError, match="no finished run of that name"):
        catalog.backbone("run:none")
    assert catalog.backbones().get("run:none") is None

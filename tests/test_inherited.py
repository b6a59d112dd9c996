"""A finished run's network as the backbone of another run, and of a third."""

from __future__ import annotations

import json

import numpy as np
import pytest

from transfer import Experiment, catalog, settings, train
from transfer.engine import arrays, device, rebuilt
from transfer.errors import ImpossibleExperiment, RequestError

FIRST = Experiment(
    target="mnist_5k", source=None, strategy="from_scratch", epochs=1, labels_per_class=20, seed=3, image_size=16
)


def trained(name: str, asked: Experiment) -> float:
    return train(asked, folder=settings.run_folder(name)).metrics["test_accuracy"]


def test_a_chain_of_runs_each_begins_where_the_last_ended() -> None:
    device.warm_up(lambda: True)
    before = trained("one", FIRST)
    second = FIRST.but(
        target="optdigits", backbone="run:one", image_size=None, strategy="lora", labels_per_class=2, batch_size=10
    )
    backbone = catalog.backbone("run:one")
    assert backbone.stages == catalog.backbone("small_cnn").stages
    assert (backbone.image_size, backbone.classes[9]) == (16, "9")
    assert backbone.title == "Small CNN, then MNIST-5k"
    # With the same classes the head comes along: before its first step it is as good as the run was.
    trained("two", second)
    begun = rebuilt.untrained("two")
    mnist = rebuilt.target_split(FIRST).test
    begun_on_mnist = (begun.logits(mnist.inputs).argmax(1) == mnist.labels).mean()
    assert begun_on_mnist == pytest.approx(before)
    third = second.but(target="mnist_5k~inversion", backbone="run:two", strategy="feature_extraction")
    trained("three", third)
    assert catalog.backbone("run:three").title.startswith(f"{catalog.backbone('run:two').title}, then MNIST")
    # The updates of the second are in the kernels of the third, which has none of its own.
    stages = dict(rebuilt.trained("three").network.named(backbone.stages))
    wanted = dict(rebuilt.trained("two").network.named(backbone.stages))
    np.testing.assert_allclose(stages["conv2"].get_weights()[0], wanted["conv2"].layers[1].kernel, atol=1e-6)
    logits = arrays.read(settings.run_folder("three") / "test.npz")["logits"]
    found = rebuilt.trained("three")
    np.testing.assert_allclose(found.logits(found.split.test.inputs[:64]), logits[:64], atol=1e-4)
    learned = json.loads((settings.run_folder("three") / "network.json").read_text())["learned"]
    assert learned == [["mnist_5k", 3], ["optdigits", 3], ["mnist_5k~inversion", 3]]
    with pytest.raises(ImpossibleExperiment, match="seen this one's test pictures"):
        catalog.check(FIRST.but(backbone="run:two", image_size=None, strategy="fine_tuning", seed=4))
    # A strategy that keeps the source's classes takes them from the run.
    catalog.check(second.but(strategy="tent", labels_per_class=0))


def test_a_run_that_left_no_network_is_refused_in_words() -> None:
    with pytest.raises(RequestError, match="no finished run of that name"):
        catalog.backbone("run:none")
    assert catalog.backbones().get("run:none") is None

"""A finished run's network again: it says what it said in the test, and what it said before it learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests import tiny
from transfer import Experiment, catalog, settings, train
from transfer.engine.inspect import rebuilt
from transfer.engine.judge import metrics
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.samples import arrays, splits
from transfer.errors import ImpossibleExperiment

SMALL = Experiment(
    target=tiny.TARGET,
    source=tiny.SOURCE,
    backbone=tiny.NETWORK,
    source_epochs=1,
    epochs=2,
    labels_per_class=2,
    batch_size=10,
    optimizer="sgd",  # TensorFlow takes a third longer to trace Adam
    seed=3,
)
OWN = {"source": None, "backbone": tiny.PRETRAINED, "image_size": 20}


@pytest.fixture(scope="module")
def learned(world: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the source of SMALL has been learned."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder))
        warm_up(lambda: True)
        train(SMALL.but(strategy="feature_extraction", epochs=1))
    return folder


@pytest.fixture(autouse=True)
def at_home(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(learned))


def run(name: str, **changes: Any) -> np.ndarray:
    """Trains SMALL with these changes as the run of that name; its test logits."""
    folder = settings.run_folder(name)
    train(SMALL.but(**changes), folder=folder)
    return arrays.read(folder / "test.npz")["logits"]


KINDS: dict[str, dict[str, Any]] = {
    "whole": {"strategy": "fine_tuning"},
    "scratch": {"strategy": "from_scratch", "source": None},
    "frozen": {"strategy": "feature_extraction"},
    "cut": {"strategy": "partial", "options": {"keep": "low", "above": "dropped"}},
    "upper_new": {"strategy": "partial", "options": {"keep": "low"}},
    "lora": {"strategy": "lora", "options": {"hidden": "16"}},
    "adapters": {"strategy": "adapters"},
    "stochastic": {"strategy": "stoch_norm"},
    "half": {"strategy": "fine_tuning", "precision": "mixed"},
    "parts": {"strategy": "dann", "labels_per_class": 0, "batch_size": 80},
    "own_weights": {"strategy": "bitfit", **OWN, "epochs": 1},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_the_run_said_in_its_test(kind: str) -> None:
    logits = run(kind, **KINDS[kind])
    keras.backend.clear_session()
    found = rebuilt.trained(kind)
    pictures = found.split.test.inputs[:100]
    assert pictures.shape[1:] == found.shape
    assert found.classes == catalog.dataset(found.experiment.target).classes
    np.testing.assert_allclose(found.logits(pictures), logits[:100], atol=0.1 if kind == "half" else 1e-4)
    assert keras.config.dtype_policy().name == "float32"
    assert tuple(found.frozen(pictures[:3]).maps) == found.network.names


@pytest.mark.parametrize("kind", ["scratch", "upper_new", "own_weights"])
def test_it_says_what_it_said_before_the_first_step(kind: str) -> None:
    folder = settings.run_folder(f"before_{kind}")
    history = train(SMALL.but(**KINDS[kind]), folder=folder).history
    before = history[(history.domain == "target") & (history.split == "validation")].iloc[0]
    found = rebuilt.untrained(f"before_{kind}")
    validation = found.split.validation
    logits = found.logits(validation.inputs)
    assert metrics.cross_entropy(logits, validation.labels) == pytest.approx(before.loss, rel=1e-4)
    again = rebuilt.trained(f"before_{kind}").logits(validation.inputs)
    assert not np.allclose(logits, again, atol=1e-4)


def test_a_source_that_is_gone_is_learned_anew() -> None:
    logits = run("lost", strategy="feature_extraction")
    for file in settings.cache("sources").glob("*.npz"):
        file.unlink()
    said: list[object] = []
    found = rebuilt.trained("lost", emit=said.append)
    assert said
    np.testing.assert_allclose(found.logits(found.split.test.inputs[:64]), logits[:64], atol=1e-4)


def test_a_run_without_weights_is_refused_in_words() -> None:
    with pytest.raises(ImpossibleExperiment, match="not there.*run none"):
        rebuilt.trained("none")
    folder = settings.run_folder("torn")
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text(SMALL.canonical_json())
    (folder / "weights.npz").write_bytes(b"half")
    with pytest.raises(ImpossibleExperiment, match="Choose a run that has finished"):
        rebuilt.trained("torn")


def test_the_split_is_the_runs() -> None:
    asked = SMALL.but(without=("3",))
    split = splits.target_split(asked)
    assert 3 not in split.test.labels
    assert split.fingerprint != splits.split(catalog.dataset(tiny.TARGET), 3, 2).fingerprint

"""A lab's home as an earlier version left it: runs, curves, networks and learned sources are still what they were.

``tests/landed/home.tar.xz`` was made by the version before kinds of sample (`python -m transfer run` with ASKED).
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from transfer import Experiment, catalog, settings, train
from transfer.engine.begin.source import SourceTraining
from transfer.engine.events import Event, Note
from transfer.engine.samples import arrays, splits
from transfer.lab import Lab, opened_runs

ASKED = Experiment(
    target="optdigits", source="mnist_5k", source_epochs=1, backbone="small_cnn", strategy="feature_extraction",
    epochs=2, labels_per_class=5, seed=1,
)  # fmt: skip
RUN = "261126-182927-bfb5a0c9"


@pytest.fixture
def landed(home: Path) -> Path:
    """A home with what the earlier version left."""
    with tarfile.open(Path(__file__).parent / "landed" / "home.tar.xz") as kept:
        kept.extractall(home, filter="data")
    return home


def test_its_runs_and_curves_open(landed: Path) -> None:
    lab = Lab()
    (run,) = lab.runs()
    assert (run.id, run.state) == (RUN, "finished")
    assert run.experiment == ASKED and run.experiment.fingerprint == ASKED.fingerprint
    assert run.metrics["test_accuracy"] == pytest.approx(0.67727, abs=1e-4)
    history = lab.history(RUN)
    assert {"source", "target"} == set(history.domain) and history.accuracy.notna().any()


def test_its_experiments_have_the_fingerprints_they_had(landed: Path) -> None:
    kept = (settings.run_folder(RUN) / "experiment.json").read_text()
    assert kept == ASKED.canonical_json() and "intake" not in kept


def test_its_source_is_not_learned_again_and_its_network_says_what_it_said(landed: Path) -> None:
    source = splits.split(catalog.dataset("mnist_5k"), ASKED.seed)
    assert SourceTraining(ASKED, catalog.backbone("small_cnn"), 28, source.fingerprint).file.exists()
    kept = arrays.read(settings.run_folder(RUN) / "test.npz")
    logits = opened_runs.opened(RUN).end.found.logits(opened_runs.opened(RUN).split.test.inputs)
    np.testing.assert_allclose(logits, kept["logits"], atol=1e-4)


def test_a_run_begins_from_its_network(landed: Path) -> None:
    told: list[Event] = []
    begun = Experiment(backbone=f"run:{RUN}", strategy="feature_extraction", labels_per_class=5, epochs=1, seed=1)
    assert train(begun, emit=told.append).state == "finished"
    assert any("source's head is kept" in one.text for one in told if isinstance(one, Note))

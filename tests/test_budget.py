"""Equal budgets in images or seconds: kept to within a step, divided among phases, and old fingerprints stay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import tiny
from transfer import Experiment, catalog, train
from transfer.engine.loop.budget import budgets
from transfer.engine.loop.checkpoint import Position
from transfer.errors import ImpossibleExperiment
from transfer.insight.points import split_of
from transfer.strategies import Phase

SMALL = Experiment(
    target=tiny.TARGET, source=tiny.SOURCE, source_epochs=4, backbone=tiny.NETWORK, labels_per_class=2, batch_size=8
)


@pytest.fixture(autouse=True)
def shared(world: None, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """One home for this file: what the source teaches is learned once."""
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path_factory.getbasetemp() / "budget"))


def test_fingerprints_of_before_stay_and_a_budget_changes_them() -> None:
    fields = json.loads(Experiment().canonical_json())
    assert not {"images", "seconds"} & set(fields)
    assert Experiment().fingerprint == "95e133a77c05"
    assert len({Experiment().fingerprint, Experiment(images=9).fingerprint, Experiment(seconds=9).fingerprint}) == 3


def test_phases_share_a_budget_as_they_would_share_epochs() -> None:
    phases = [Phase("head", 1, 1e-3), Phase("all", 3, 1e-3)]
    assert budgets(Experiment(epochs=4), phases) == [None, None]
    first, second = budgets(Experiment(images=400), phases)
    assert first is not None and second is not None
    assert [first.over(Position(images=seen)) for seen in (99, 100)] == [False, True]
    assert [second.over(Position(images=seen)) for seen in (399, 400)] == [False, True]
    assert (first.done(Position(images=50)), second.done(Position(images=250))) == (0.5, 0.5)
    early = Position(images=220, begun=0.1)
    assert second.done(early) == pytest.approx(0.5), "what an earlier phase left over is its own"
    timed = budgets(Experiment(seconds=8.0), phases)[0]
    assert timed is not None and [timed.over(Position(busy=passed)) for passed in (1.9, 2.0)] == [False, True]


@pytest.mark.parametrize("changes", [{"images": 9, "epochs": 1}, {"images": 9, "seconds": 1.0}])
def test_a_run_has_one_budget(changes: dict) -> None:
    with pytest.raises(ImpossibleExperiment, match="only one budget"):
        catalog.check(SMALL.but(**changes))


@pytest.mark.parametrize("strategy", ["joint", "gradual_unfreezing"])
def test_all_see_the_same_number_of_images(strategy: str) -> None:
    result = train(SMALL.but(strategy=strategy, images=110))
    seen = split_of(result.history, "validation")["images_seen"]
    largest = 16 if strategy == "joint" else 8
    assert 110 <= seen.iloc[-1] < 110 + largest
    assert split_of(result.history, "validation")["epoch"].is_monotonic_increasing
    assert split_of(result.history, "train")["step"].is_unique
    assert result.state == "finished" and result.metrics["test_accuracy"] > 0.15


def test_seconds_are_kept_and_every_phase_gets_its_part() -> None:
    result = train(SMALL.but(strategy="gradual_unfreezing", seconds=1.0))
    validation = split_of(result.history, "validation")
    assert 1.0 <= validation["training_seconds"].iloc[-1] < 1.6
    assert validation["epoch"].is_monotonic_increasing and validation["step"].is_monotonic_increasing
    spent = validation.groupby("phase")["training_seconds"].max()
    assert len(spent) > 1 and (spent.diff().dropna() > 0).all()

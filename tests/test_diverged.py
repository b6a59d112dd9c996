"""Training that diverges: told as what it is, with the rate that was asked for, and the best epoch before is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.test_spending import ASKED, Blank, Spent
from transfer import catalog
from transfer.engine.events import Point
from transfer.engine.loop.checkpoint import Best
from transfer.engine.runner import Runner
from transfer.engine.samples import arrays
from transfer.errors import Diverged

RATE = ASKED.but(strategy="fine_tuning", epochs=10, learning_rate=10, options={"head": "new"})


def broken(monkeypatch: pytest.MonkeyPatch, method: str, after: int, answer: Any) -> None:
    """From the so-manyth call on, the network gives this answer."""
    calls, whole = [0], getattr(Blank, method)

    def asked(blank: Blank, *given: Any) -> Any:
        calls[0] += 1
        return whole(blank, *given) if calls[0] <= after else answer(whole(blank, *given))

    monkeypatch.setattr(Blank, method, asked)


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_names_the_rate_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, loss: float
) -> None:
    # Three epochs of three steps go to the head.
    broken(monkeypatch, "learn", 12, lambda _: {"loss": loss})
    with pytest.raises(Diverged) as raised:
        Spent(monkeypatch, RATE)
    said = str(raised.value)
    assert "Training diverged" in said and "the loss is no longer a number" in said
    assert "learning_rate 10, 1 in the phase 'fine-tune everything', optimizer adam" in said
    assert "Try learning_rate 1" in said


@pytest.mark.parametrize("name", ["logits", "features"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("strategy", "labels"), [("fine_tuning", None), ("dann", 0)])
def test_a_network_whose_answers_are_no_numbers_is_never_called_right_or_wrong(
    monkeypatch: pytest.MonkeyPatch, name: str, value: float, strategy: str, labels: int | None
) -> None:
    def answer(said: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        said[name][0, 0] = value
        return said

    broken(monkeypatch, "outputs", 3, answer)
    heard: list[Any] = []
    with pytest.raises(Diverged, match="answers are no longer numbers") as raised:
        Spent(monkeypatch, ASKED.but(strategy=strategy, labels_per_class=labels, epochs=10, precision="mixed"), heard)
    assert "or choose precision float32" in str(raised.value)
    validated = [one.values["accuracy"] for one in heard if isinstance(one, Point) and one.split == "validation"]
    assert len(validated) == 3 and all(0 <= one <= 1 for one in validated)


def test_the_best_epoch_before_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(RATE, catalog.check(RATE), lambda event: None, lambda: None, tmp_path)

    def learn() -> None:
        runner._legs, runner.best_weights = [object()], {"head/0": np.ones(3)}  # type: ignore[list-item]  # it counts them
        runner.place.best = Best(1, 2.0, 0.6, 1.0)
        raise Diverged("Training diverged.")

    monkeypatch.setattr(runner, "learn", learn)
    monkeypatch.setattr(runner, "_beside", {}, raising=False)
    with pytest.raises(Diverged):
        runner.go()
    np.testing.assert_array_equal(arrays.read(tmp_path / "weights.npz")["head/0"], np.ones(3))
    assert (tmp_path / "experiment.json").exists() and not (tmp_path / "test.npz").exists()

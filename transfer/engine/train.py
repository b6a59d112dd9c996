"""`train`: carries out an Experiment, whatever its strategy, and says what happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from transfer import catalog
from transfer.engine.events import Emit, Event, Point, Resumed, Wish
from transfer.engine.loop.device import environment
from transfer.engine.network.network import Weights
from transfer.engine.runner import Runner
from transfer.engine.trouble import in_words
from transfer.experiment import Experiment


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Args:
        state: ``finished``; ``stopped`` early with the best kept; ``paused`` or ``discarded`` without a test.
        metrics: ``test_accuracy`` (0 to 1) with its 95 % interval ``test_low`` to ``test_high`` and
            ``test_count``, ``validation_accuracy`` of the best epoch, weights, seconds and more.
        history: a row a point; ``split``, ``domain``, ``phase``, ``epoch``, ``step``, ``seconds`` and values.
        environment: versions, device and data fingerprints.
        weights: of the stages that moved and of the head, at the best epoch, by ``stage/position``.
    """

    state: Literal["finished", "stopped", "paused", "discarded"]
    metrics: dict[str, Any]
    history: pd.DataFrame
    environment: dict[str, Any]
    weights: Weights = field(repr=False, default_factory=dict)


def train(
    experiment: Experiment,
    emit: Emit | None = None,
    should_stop: Callable[[], Wish | None] | None = None,
    folder: Path | None = None,
) -> Result:
    """Trains the source if one is named, then transfers, chooses on validation and tests once.

    It misleads to read the test accuracy of one seed as the method's: repeat it over seeds.

    Args:
        experiment: what is to be run.
        emit: takes each `Event` as it happens, in the training thread.
        should_stop: asked after each batch; a wish is granted at once.
        folder: for checkpoint, best weights and predictions; resumes from a checkpoint found there.

    Returns:
        The `Result`; the same experiment on the same machine gives the same curve.

    Raises:
        RequestError: the experiment is impossible; nothing was written.
        RunFailed: weights or data could not be had, memory or disk ran out, the loss diverged.
    """
    strategy = catalog.check(experiment)
    points: list[Point] = []

    def told(event: Event) -> None:
        if isinstance(event, Point):
            points.append(event)
        elif isinstance(event, Resumed):
            points[:] = [point for point in points if point.domain != event.domain or point.step <= event.step]
        if emit is not None:
            emit(event)

    with in_words(experiment):
        runner = Runner(experiment, strategy, told, should_stop or (lambda: None), folder)
        state, metrics = runner.go()
    return Result(state, metrics, frame(points), environment() | runner.provenance, runner.best_weights)


def frame(points: list[Point]) -> pd.DataFrame:
    """The points as a table, a row each, a column a value."""
    rows = [
        {
            "split": point.split,
            "domain": point.domain,
            "phase": point.phase,
            "epoch": point.epoch,
            "step": point.step,
            "seconds": point.seconds,
            **point.values,
        }
        for point in points
    ]
    return pd.DataFrame(rows, columns=None if rows else ["split", "domain", "phase", "epoch", "step", "seconds"])

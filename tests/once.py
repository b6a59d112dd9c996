"""Runs that are learned once in a process: an experiment repeats itself, which tests of its own see to."""

from __future__ import annotations

from transfer import Experiment, train
from transfer.engine.train import Result

_known: dict[str, Result] = {}


def once(experiment: Experiment) -> Result:
    """What the experiment comes to; trained only when no test has trained it before."""
    if experiment.fingerprint not in _known:
        keep(experiment, train(experiment))
    return _known[experiment.fingerprint]


def keep(experiment: Experiment, result: Result) -> None:
    """Remembers a run that was trained otherwise, with its events or its files."""
    _known[experiment.fingerprint] = result

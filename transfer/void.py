"""Strategies that would do nothing to a network, or nothing of their own: refused, as far as it is known before a run.

`transfer.engine.void` looks at the layers themselves, for networks of which nobody knows beforehand.
"""

from __future__ import annotations

from collections.abc import Collection

from transfer.backbones import Backbone, Part
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.strategies import Strategy

WORDS: dict[Part, str] = {
    "batch norm": "batch normalisation",
    "normalisation": "normalisation layers with a scale and a shift",
    "biases": "biases",
    "kernels": "dense or convolution layers",
    "maps": "stages with rows and columns",
}


def check(chosen: Strategy, network: Backbone, teacher: Backbone | None = None) -> None:
    """Raises `ImpossibleExperiment` when a network is known to lack what the strategy works on.

    Args:
        chosen: the strategy.
        network: the backbone it trains.
        teacher: whom it learns from, if that is a backbone.
    """
    for one in (network, teacher):
        if one is not None and one.parts is not None:
            missing(chosen, one, one.parts)


def missing(chosen: Strategy, network: Backbone, parts: Collection[Part]) -> None:
    """Raises `ImpossibleExperiment` when what the strategy works on is not among these parts."""
    if chosen.works_on is None or chosen.works_on in parts:
        return
    words = WORDS[chosen.works_on]
    raise ImpossibleExperiment(
        f"{network.title} has no {words}, and that is what {chosen.title} works on: it would do nothing of its own.",
        f"strategy {chosen.key} with backbone {network.key!r}",
        f"Choose a backbone with {words} (small_cnn or efficientnet_lite0, say), or another strategy.",
    )


def teacher_of(experiment: Experiment, chosen: Strategy) -> str:
    """Key of the backbone that teaches; empty when that is the experiment's own, a run or nobody."""
    other = chosen.teacher not in ("", "same", experiment.backbone) and not chosen.teacher.startswith("run:")
    return chosen.teacher if other else ""

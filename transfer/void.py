"""Refuses strategies that would have no effect, or none of their own, on a network, if that is known before a run.

`transfer.engine.network.void` looks at the layers themselves, for networks whose parts are not known in advance.
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
    "attention": "attention between tokens",
}
_IMAGE = "small_cnn or efficientnet_lite0"
EXAMPLES: dict[str, dict[Part, str]] = {
    "image": {**dict.fromkeys(WORDS, _IMAGE), "attention": "tiny_bert with a data set of texts"},
    "text": {
        "normalisation": "tiny_bert or minilm",
        "biases": "text_cnn or tiny_bert",
        "kernels": "text_cnn or tiny_bert",
        "attention": "tiny_bert or minilm",
    },
}


def check(chosen: Strategy, network: Backbone, teacher: Backbone | None = None) -> None:
    """Raises `ImpossibleExperiment` when a network is known to lack what the strategy works on.

    Args:
        chosen: the strategy.
        network: the backbone it trains.
        teacher: the teacher it learns from, if that is a backbone.
    """
    for one in (network, teacher):
        if one is not None and one.parts is not None:
            missing(chosen, one, one.parts)


def missing(chosen: Strategy, network: Backbone, parts: Collection[Part]) -> None:
    """Raises `ImpossibleExperiment` when what the strategy works on is not among these parts."""
    if chosen.works_on is None or chosen.works_on in parts:
        return
    words = WORDS[chosen.works_on]
    some = EXAMPLES.get(network.modality, {}).get(chosen.works_on, "")
    raise ImpossibleExperiment(
        f"{network.title} has no {words}, which {chosen.title} works on: it would have no effect of its own.",
        f"strategy {chosen.key} with backbone {network.key!r}",
        f"Choose a backbone with {words} ({some}, say), or another strategy." if some else "Choose another strategy.",
    )


def teacher_of(experiment: Experiment, chosen: Strategy) -> str:
    """Key of the teacher's backbone; empty when the teacher is the experiment's own, a run, or missing."""
    other = chosen.teacher not in ("", "same", experiment.backbone) and not chosen.teacher.startswith("run:")
    return chosen.teacher if other else ""

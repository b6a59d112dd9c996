"""What a network whose weights cannot be trained is good for: its features, and a head on them."""

from __future__ import annotations

from transfer.backbones import Backbone
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.strategies import Setting, Strategy

POSSIBLE = "Choose the strategy feature_extraction or prototypes, or another backbone (efficientnet_lite0, say)."
# Enough epochs for every phase that a strategy may have.
MANY = 100


def check(experiment: Experiment, chosen: Strategy, network: Backbone) -> None:
    """Raises `ImpossibleExperiment` when weights that are fixed would have to be trained or replaced.

    Cheap: asks the strategy for its phases and reads at which rates they train the backbone's stages.
    """
    if not network.fixed:
        return
    why = f"{network.title} is a fixed network:"
    if experiment.source is not None:
        raise ImpossibleExperiment(
            f"{why} it cannot be trained on a source first.", f"source {experiment.source}", "Choose no source."
        )
    used = chosen.used(network.stages)
    if chosen.start == "random" or set(used) - set(chosen.copied(network.stages)):
        raise ImpossibleExperiment(f"{why} it cannot start from random weights.", _asked(experiment), POSSIBLE)
    setting = Setting(used, experiment.epochs or MANY, experiment.learning_rate, chosen.keeps_head)
    moved = {name for phase in chosen.phases(setting) for name, rate in phase.rates.items() if rate > 0}
    if moved or chosen.rebuilds:
        raise ImpossibleExperiment(f"{why} its weights cannot be trained.", _asked(experiment), POSSIBLE)


def check_teacher(teacher: Backbone) -> None:
    """Raises `ImpossibleExperiment` when the teacher could not be trained on the target."""
    if teacher.fixed:
        raise ImpossibleExperiment(
            f"{teacher.title} is a fixed network: it cannot be fine-tuned as a teacher.",
            f"teacher {teacher.key}",
            "Train a head on it first and use that run (run:<id>), or choose the teacher efficientnet_lite0.",
        )


def _asked(experiment: Experiment) -> str:
    options = "".join(f", {name}={value}" for name, value in experiment.options.items())
    return f"strategy {experiment.strategy}{options} with backbone {experiment.backbone!r}"

"""What can be asked of a network whose weights cannot move: its features, and a head on them."""

from __future__ import annotations

from transfer.backbones import Backbone
from transfer.errors import ImpossibleExperiment
from transfer.experiment import Experiment
from transfer.strategies import Setting, Strategy

POSSIBLE = "Choose the strategy feature_extraction or prototypes, or another backbone (efficientnet_lite0, say)."
# Enough for every phase that a strategy may come to.
MANY = 100


def check(experiment: Experiment, chosen: Strategy, network: Backbone) -> None:
    """Raises `ImpossibleExperiment` when something would have to move, or begin anew, that cannot.

    Cheap: asks the strategy for its phases, and reads at which rate they move the backbone's stages.
    """
    if not network.fixed:
        return
    why = f"{network.title} is a fixed network:"
    if experiment.source is not None:
        raise ImpossibleExperiment(
            f"{why} it cannot learn a source first.", f"source {experiment.source}", "Choose no source."
        )
    used = chosen.used(network.stages)
    if chosen.start == "random" or set(used) - set(chosen.copied(network.stages)):
        raise ImpossibleExperiment(f"{why} it cannot begin with new weights.", _asked(experiment), POSSIBLE)
    setting = Setting(used, experiment.epochs or MANY, experiment.learning_rate, chosen.keeps_head)
    moved = {name for phase in chosen.phases(setting) for name, rate in phase.rates.items() if rate > 0}
    if moved or chosen.rebuilds:
        raise ImpossibleExperiment(f"{why} its weights cannot be trained.", _asked(experiment), POSSIBLE)


def check_teacher(teacher: Backbone) -> None:
    """Raises `ImpossibleExperiment` when the teacher could not be taught the target."""
    if teacher.fixed:
        raise ImpossibleExperiment(
            f"{teacher.title} is a fixed network: it cannot be fine-tuned to be a teacher.",
            f"teacher {teacher.key}",
            "Train a head on it first, and give that run (run:<id>), or choose the teacher efficientnet_lite0.",
        )


def _asked(experiment: Experiment) -> str:
    options = "".join(f", {name}={value}" for name, value in experiment.options.items())
    return f"strategy {experiment.strategy}{options} with backbone {experiment.backbone!r}"

"""What a strategy will do to each stage of a backbone, shown before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from transfer import catalog
from transfer.experiment import Experiment
from transfer.strategies import Phase, Setting, Strategy

Kind = Literal["frozen", "trained", "partly", "new", "dropped"]
KINDS: dict[Kind, str] = {
    "frozen": "copied and frozen",
    "trained": "copied and trained",
    "partly": "copied and partly trained",
    "new": "new weights, trained",
    "dropped": "left out",
}


@dataclass(frozen=True)
class Fate:
    """What happens to a stage.

    Args:
        stage: its name; ``head`` for what sits on top.
        kind: one of `KINDS`.
        words: what happens, with its rates, in a few words.
    """

    stage: str
    kind: Kind
    words: str


def fates(experiment: Experiment, epochs: int) -> list[Fate]:
    """The fate of every stage, bottom to top, and of the head.

    It shows which weights can change at all. It misleads when a rate is read as a distance:
    how far a stage really moves is measured while it trains.

    Args:
        experiment: one that `catalog.check` accepts.
        epochs: its budget.

    Raises:
        RequestError: the experiment is impossible.
    """
    strategy = catalog.check(experiment)
    stages = catalog.backbone(experiment.backbone).stages
    used, copied = strategy.used(stages), strategy.copied(stages)
    keeps_head = strategy.keeps_head and _same_classes(experiment)
    phases = _phases(experiment, strategy, epochs)
    found = [
        _fate(strategy, stage, stage in copied, phases) if stage in used else Fate(stage, "dropped", "left out")
        for stage in stages
    ]
    rates = [phase.learning_rate * phase.head_rate for phase in phases]
    begins = "the source's" if keeps_head else "new"
    kind: Kind = "new" if not keeps_head else "trained" if any(rates) else "frozen"
    return [*found, Fate("head", kind, f"{begins}, {_rates(rates)}")]


def usual_rate(experiment: Experiment, epochs: int) -> float:
    """The learning rate of the first phase when the experiment sets none.

    Args:
        experiment: one that `catalog.check` accepts.
        epochs: its budget.

    Raises:
        RequestError: the experiment is impossible.
    """
    return _phases(experiment.but(learning_rate=None), catalog.check(experiment), epochs)[0].learning_rate


def _phases(experiment: Experiment, strategy: Strategy, epochs: int) -> list[Phase]:
    used = strategy.used(catalog.backbone(experiment.backbone).stages)
    keeps_head = strategy.keeps_head and _same_classes(experiment)
    return strategy.phases(Setting(used, epochs, experiment.learning_rate, keeps_head))


def _same_classes(experiment: Experiment) -> bool:
    if experiment.source is None:
        return False
    return catalog.dataset(experiment.source).classes == catalog.dataset(experiment.target).classes


def _fate(strategy: Strategy, stage: str, copied: bool, phases: list[Phase]) -> Fate:
    rates = [phase.learning_rate * phase.rates.get(stage, 0.0) for phase in phases]
    if not any(rates):
        return Fate(stage, "frozen", "frozen") if copied else Fate(stage, "new", "new, frozen")
    words = _rates(rates)
    if waits := sum(phase.epochs for phase, rate in zip(phases, rates, strict=True) if not rate):
        words += f", from epoch {waits}"
    if not copied:
        return Fate(stage, "new", f"new, {words}")
    if any(phase.moves is not None for phase in phases):
        return Fate(stage, "partly", f"{strategy.adds or strategy.title.lower()}, {words}")
    return Fate(stage, "trained", words)


def _rates(rates: list[float]) -> str:
    at_work = sorted({rate for rate in rates if rate})
    if not at_work:
        return "frozen"
    written = [f"{rate:.2g}".replace("e-0", "e-") for rate in dict.fromkeys((at_work[0], at_work[-1]))]
    return f"rate {' to '.join(written)}"

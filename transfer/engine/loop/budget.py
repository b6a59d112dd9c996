"""What a run may spend on the target when that is counted in images or in seconds instead of epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transfer.engine.loop.checkpoint import Position
from transfer.experiment import Experiment
from transfer.spending import Portions
from transfer.strategies import Phase


@dataclass(frozen=True)
class Budget:
    """One phase's part of what all may spend. It is looked at after each step, so it is kept to within one.

    Images are counted by `transfer.spending`. Seconds are those of steps; loading, validation, and the first step of
    each size, which TensorFlow traces, are left out, for what is cached or traced once would make the second run
    cheaper than the first.

    Args:
        images: of all phases, or None.
        seconds: of all phases, or None.
        begins: share of the whole that earlier phases have, 0 to 1.
        ends: share with which this one is over; phases share as they would share epochs.
    """

    images: int | None
    seconds: float | None
    begins: float
    ends: float

    def spent(self, place: Position) -> float:
        """The share of the whole that is spent, 0 to about 1."""
        if self.images is not None:
            return place.images / self.images
        return place.busy / (self.seconds or 1.0)

    def over(self, place: Position) -> bool:
        """Whether the phase has had its part."""
        return self.spent(place) >= self.ends - 1e-9

    def done(self, place: Position) -> float:
        """How much of what was left for the phase as it began is spent, 0 to 1.

        An earlier phase may have spent a little more than its part, or much less if it stopped early.
        """
        begun = self.begins if place.begun is None else place.begun
        return min(1.0, max(0.0, (self.spent(place) - begun) / max(self.ends - begun, 1e-9)))

    def steps(self, portions: Portions, begun: float) -> int | None:
        """How many steps the phase will take; None with seconds, which do not say.

        Args:
            portions: what each of its steps spends.
            begun: share of the whole that is spent as it begins.
        """
        if self.images is None:
            return None
        return portions.steps_for((self.ends - begun) * self.images)


def budgets(experiment: Experiment, phases: Sequence[Phase]) -> list[Budget | None]:
    """The part of each phase, in order; None for all when epochs are what counts."""
    if experiment.images is None and experiment.seconds is None:
        return [None] * len(phases)
    total, before = sum(phase.epochs for phase in phases), 0
    found: list[Budget | None] = []
    for phase in phases:
        ends = (before + phase.epochs) / total
        found.append(Budget(experiment.images, experiment.seconds, before / total, ends))
        before += phase.epochs
    return found

"""What a person is told when training has diverged."""

from __future__ import annotations

from transfer.engine.loop.checkpoint import Position
from transfer.engine.loop.leg import Leg
from transfer.errors import Diverged


def diverged(leg: Leg, place: Position, sign: str) -> Diverged:
    """The error that ends the run: what happened, at which rate that was asked for, what to do, what is kept.

    Args:
        leg: the phase in which it happened.
        place: how far the run had come.
        sign: by what it was noticed.
    """
    asked = leg.experiment
    epoch = leg.first_epoch + place.epoch + place.batch / leg.steps
    return Diverged(
        f"Training diverged at epoch {epoch:.4g} of the {leg.domain}: {sign}.",
        f"{_rate(leg)}, optimizer {asked.optimizer}" + (", precision mixed" if asked.precision == "mixed" else ""),
        f"{_remedy(leg)}{_kept(leg, place)}",
    )


def _rate(leg: Leg) -> str:
    """The rate as it was asked for; a phase may make another of it."""
    asked, used = leg.experiment.learning_rate, leg.phase.learning_rate
    there = f"{used:g} in the phase {leg.phase.name!r}"
    if asked is None:
        return f"learning_rate {there}"
    return f"learning_rate {asked:g}" + ("" if asked == used else f", {there}")


def _remedy(leg: Leg) -> str:
    precision = ", or choose precision float32" if leg.experiment.precision == "mixed" else ""
    if leg.domain == "source":
        # The source's recipe is fixed, so its rate cannot be changed.
        return f"Choose another seed, backbone or source{precision}."
    rate = (leg.experiment.learning_rate or leg.phase.learning_rate) / 10
    return f"Try learning_rate {rate:g}{precision}, and run it again."


def _kept(leg: Leg, place: Position) -> str:
    best = place.best
    if leg.domain != "target" or best is None or best.epoch <= 0:
        return ""
    return f" The best epoch before that, {best.epoch:.4g}, is kept: validation accuracy {best.accuracy:.1%}."

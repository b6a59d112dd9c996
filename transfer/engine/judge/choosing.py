"""Which epoch a run without target labels ends with, and which others it could have ended with.

The run itself takes the last epoch, or the one its labels choose where it was given some. The others
are kept beside to show what choosing is worth; the one that target labels would choose is a cheat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PICKERS: dict[str, int] = {
    "start": 0,
    "last": 0,
    "entropy": -1,
    "information": 1,
    "density": 1,
    "source": 1,
    "labels": 1,
}


@dataclass
class ChosenEpoch:
    """An epoch of a run's target, and the figure for which it was picked."""

    leg: int
    epoch: float
    value: float = 0.0

    @property
    def key(self) -> str:
        """The epoch's name among the weights that are kept."""
        return f"{self.leg}.{self.epoch}"


def update(picks: dict[str, ChosenEpoch], leg: int, epoch: float, figures: Mapping[str, float]) -> bool:
    """Lets every picker look at an epoch that has ended; whether any of them takes it.

    Args:
        picks: what each has picked so far; changed.
        leg: the phase.
        epoch: on the run's axis.
        figures: of the validators by name, and the validation ``accuracy`` that only the cheat looks at.
    """
    taken = False
    for name, sign in PICKERS.items():
        value = figures.get("accuracy" if name == "labels" else name)
        if sign and value is None:
            continue
        found, before = ChosenEpoch(leg, epoch, value or 0.0), picks.get(name)
        if before is None or name == "last" or (sign and sign * found.value > sign * before.value):
            picks[name] = found
            taken = True
    return taken

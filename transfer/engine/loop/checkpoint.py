"""Where a run stands, so that it can go on after a pause, a crash or a pulled plug."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from transfer.backbones.as_read import READING
from transfer.engine.judge.choosing import ChosenEpoch
from transfer.engine.network.network import Weights
from transfer.engine.samples import arrays
from transfer.errors import NewerCheckpoint

NAME = "checkpoint.npz"
LAYOUT = 2  # 1 had no number


class Unreadable(Exception):
    """The checkpoint is damaged, so no run can resume from it; the message is shown to the user."""


@dataclass
class Best:
    """The epoch with the highest validation accuracy so far; at equal accuracy the lower loss."""

    leg: int
    epoch: float
    accuracy: float
    loss: float

    def beats(self, other: Best | None) -> bool:
        """Whether this one is better."""
        return other is None or (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


@dataclass
class Position:
    """How far a run has come.

    Args:
        leg: which of its phases it is in; the source's comes first.
        epoch: epochs done in that phase.
        batch: batches done of the next one.
        seconds: spent so far.
        waited: epochs without a better validation, for early stopping.
        best: the best epoch on the target, or on the source while that is being learned.
        trainable: the most weights that a phase so far has trained.
        images: seen in training on the target, as a budget counts them.
        busy: seconds of steps on the target, as a budget counts them.
        first_epoch, first_step: where the phase began on the run's axis, when a budget ended the one before.
        begun: share of the budget that was spent as the phase began; None without a budget.
        last: validation accuracy of the last epoch.
        picks: epochs that a run without target labels could end with, by what picks them.
    """

    leg: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    waited: int = 0
    best: Best | None = None
    trainable: int = 0
    images: int = 0
    busy: float = 0.0
    first_epoch: int = 0
    first_step: int = 0
    begun: float | None = None
    last: float | None = None
    picks: dict[str, ChosenEpoch] = field(default_factory=dict)


@dataclass
class Checkpoint:
    """A place with everything that is needed to go on from it as if nothing had happened.

    ``reading`` is how the backbone's file was read, see `transfer.backbones.as_read`; None in older checkpoints.
    """

    place: Position
    touched: list[str] = field(default_factory=list)
    now: Weights = field(default_factory=dict)
    best: Weights = field(default_factory=dict)
    optimizer: list[np.ndarray] = field(default_factory=list)
    known: Weights = field(default_factory=dict)
    picked: dict[str, Weights] = field(default_factory=dict)
    plane: Weights = field(default_factory=dict)
    reading: int | None = READING

    def save(self, folder: Path) -> None:
        """Replaces the folder's checkpoint; the old one stays whole until the new one is."""
        kept = {"place": asdict(self.place), "touched": self.touched, "reading": self.reading}
        about = json.dumps({"layout": LAYOUT, **kept})
        named: dict[str, np.ndarray] = {"about": np.frombuffer(about.encode(), "uint8")}
        named |= {f"now:{key}": value for key, value in self.now.items()}
        named |= {f"best:{key}": value for key, value in self.best.items()}
        named |= {f"known:{key}": value for key, value in self.known.items()}
        named |= {f"plane:{key}": value for key, value in self.plane.items()}
        for epoch, weights in self.picked.items():
            named |= {f"picked:{epoch}:{key}": value for key, value in weights.items()}
        named |= {f"optimizer:{position}": value for position, value in enumerate(self.optimizer)}
        arrays.write(folder / NAME, named)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """The folder's checkpoint, or None when there is none. One of an older version is read as far as it goes.

        Raises:
            Unreadable: it is damaged.
            NewerCheckpoint: a newer version of the lab wrote it; beginning anew would destroy what that one can use.
        """
        try:
            named = arrays.read(folder / NAME)
            about = json.loads(bytes(named.pop("about")))
        except FileNotFoundError:
            return None
        except (arrays.Damaged, KeyError, ValueError) as problem:
            raise Unreadable("The checkpoint is damaged.") from problem
        layout = about.get("layout", 1) if isinstance(about, dict) else None
        if isinstance(layout, int) and layout > LAYOUT:
            raise NewerCheckpoint(
                "The checkpoint was written by a newer version of the lab.",
                f"layout {layout}; this version reads up to {LAYOUT}",
                "Resume the run with that version, or start it again as a new run.",
            )
        try:
            return cls._of(about, named)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise Unreadable("The checkpoint is damaged, or too old for this version of the lab.") from problem

    @classmethod
    def _of(cls, about: dict[str, Any], named: Weights) -> Checkpoint:
        stored = dict(about["place"])
        best = stored.pop("best")
        picks = {name: ChosenEpoch(**one) for name, one in stored.pop("picks", {}).items()}
        understood = {one.name for one in fields(Position)}
        stored = {name: value for name, value in stored.items() if name in understood}
        place = Position(**stored, best=Best(**best) if best else None, picks=picks)
        parts: dict[str, Weights] = {"now": {}, "best": {}, "known": {}, "optimizer": {}, "plane": {}, "picked": {}}
        for name, value in named.items():
            part, key = name.split(":", 1)
            parts[part][key] = value
        picked: dict[str, Weights] = {}
        for name, value in parts["picked"].items():
            epoch, key = name.split(":", 1)
            picked.setdefault(epoch, {})[key] = value
        steps = [parts["optimizer"][str(position)] for position in range(len(parts["optimizer"]))]
        now, best_weights, known, plane = (parts[name] for name in ("now", "best", "known", "plane"))
        reading = about.get("reading")
        return cls(place, about["touched"], now, best_weights, steps, known, picked, plane, reading)


def remove(folder: Path) -> None:
    """Takes the checkpoint away once the run has ended."""
    (folder / NAME).unlink(missing_ok=True)

"""What strategies with a teacher have in common; not itself a strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from transfer.strategies import Outputs, Phase, Setting, Step
from transfer.strategies.fine_tuning import FineTuning


class Taught(FineTuning):
    """Fine-tuning with a teacher that sees the same pictures.

    The teacher is either fine-tuned on the target first, in a phase of its own whose result is kept
    for the next run, or any finished run on the same target.
    """

    family = "With a teacher"
    needs = ("weights", "teacher")

    class Options(FineTuning.Options):
        """Taught."""

        teacher: str = Field(
            "same",
            min_length=1,
            max_length=120,
            description="The teacher: same (this backbone, fine-tuned first), a backbone's key, or run:ID.",
            json_schema_extra={"choices": "teachers"},
        )

    options: Taught.Options

    @property
    def teacher(self) -> str:
        """The teacher that the option names."""
        return self.options.teacher

    @property
    def hard(self) -> float:
        """Weight of the cross-entropy on the labels."""
        return 1.0

    def fine(self, setting: Setting, epochs: int, rate: float) -> Phase:
        """As in fine-tuning, with the teacher's terms."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return Phase("learn from the teacher", epochs, rate, rates, terms=self.terms(), target_weight=self.hard)


def teacher_of(step: Step) -> Outputs:
    """The teacher's outputs; a strategy with a teacher always has them."""
    assert step.teacher is not None, "the engine gives a taught strategy its teacher"
    return step.teacher


def counterpart(place: int, count: int, others: int) -> int:
    """The place among ``others`` stages that is as deep as ``place`` is among ``count``, both from 0."""
    return max(0, round((place + 1) / count * others) - 1)


def pictures_of(maps: Mapping[str, Any]) -> list[str]:
    """The stages whose output still has rows and columns."""
    return [name for name, value in maps.items() if len(value.shape) == 4]

"""Discriminative fine-tuning: the lower the stage, the smaller its steps."""

from __future__ import annotations

from pydantic import Field

from transfer.strategies import Phase, Setting
from transfer.strategies.fine_tuning import FineTuning


class Discriminative(FineTuning):
    """All weights are trained, at learning rates that fall geometrically from the head to the bottom.

    General features at the bottom are kept, specific ones at the top adapt. It misleads when the
    target's pictures differ even in edges and colours: then the bottom has to change.

    Reference:
        Howard & Ruder 2018, ULMFiT, section 3.2; fastai's slice(lr / 100, lr) for the rates, with
        the head as the topmost group, after fastai's frozen epochs.
    """

    key = "discriminative"
    title = "Discriminative rates"
    sentence = "The whole network is trained, with smaller steps in lower stages."
    formula = r"\eta_l = \eta\, s^{-(L-l)/L},\quad l = 0..L,\ L = \text{head}"
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Howard & Ruder 2018](https://arxiv.org/abs/1801.06146)"
    family = "Which weights are trained"

    class Options(FineTuning.Options):
        """Discriminative rates."""

        fine_rate: float = Field(
            0.5,
            gt=0,
            le=1,
            description="Learning rate of the output layer in the second phase, relative to the first.",
            json_schema_extra={"unit": "x"},
        )
        spread: float = Field(
            100.0,
            ge=1,
            le=1e6,
            description="How many times higher the output layer's learning rate is than the bottom stage's.",
            json_schema_extra={"unit": "x"},
        )

    options: Discriminative.Options

    def fine(self, setting: Setting, epochs: int, rate: float) -> Phase:
        """All stages, each at its own rate."""
        count = len(setting.stages)
        rates = {stage: self.options.spread ** -((count - place) / count) for place, stage in enumerate(setting.stages)}
        return Phase("fine-tune, lower stages slower", epochs, rate, rates, terms=self.terms())

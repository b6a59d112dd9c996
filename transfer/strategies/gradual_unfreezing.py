"""Gradual unfreezing: stages are unfrozen one after another, from the top."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy


class GradualUnfreezing(Strategy):
    """Trains the head first, then unfreezes one stage after another, from the top.

    What is most specific to the source changes first, what is most general last and least. It
    misleads with few epochs: lower stages may be unfrozen so late that they hardly change, and the
    result is that of a frozen backbone.

    Reference:
        Howard & Ruder 2018, ULMFiT, section 3.3: gradual unfreezing, with rates divided by 2.6 from
        a stage to the one below (section 3.2). Here on stages instead of layers.
    """

    key = "gradual_unfreezing"
    title = "Gradual unfreezing"
    sentence = "First the output layer is trained, then one stage after another is unfrozen, from the top."
    formula = r"\eta^{\,l-1} = \eta^{\,l} / 2.6,\quad l \text{ is unfrozen at epoch } n\,(L - l + 1)"
    frozen = "stages not yet unfrozen"
    reference = "[Howard & Ruder 2018](https://arxiv.org/abs/1801.06146)"
    family = "Which weights are trained"

    class Options(Strategy.Options):
        """Gradual unfreezing."""

        every: int | None = Field(
            None,
            ge=1,
            le=1000,
            description="Epochs before the next stage is unfrozen. Empty: spread evenly over the run.",
            json_schema_extra={"unit": "epochs", "empty": "auto"},
        )
        decay: float = Field(
            2.6,
            ge=1,
            le=100,
            description="Each stage's learning rate is that of the stage above, divided by this.",
            json_schema_extra={"unit": "x"},
        )
        batch_norm: Literal["inference", "batch"] = Field(
            "inference",
            description="Batch-norm of unfrozen stages. inference: keep the source's statistics. batch: follow the "
            "target's.",
        )

    options: GradualUnfreezing.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase for each number of unfrozen stages; with fewer epochs than stages, several unfreeze at once."""
        stages, epochs = setting.stages, setting.epochs
        every = self.options.every or max(1, epochs // (len(stages) + 1))
        parts = min(len(stages) + 1, -(-epochs // every))
        rate = setting.learning_rate or 1e-3
        phases = []
        for part in range(parts):
            length = every if part < parts - 1 else epochs - every * (parts - 1)
            # With an interval that was asked for, the budget may end before the bottom is unfrozen.
            opened = (
                part if self.options.every or parts > len(stages) else round(part * len(stages) / max(1, parts - 1))
            )
            rates = {stages[-1 - place]: self.options.decay ** -(place + 1) for place in range(opened)}
            name = f"unfreeze {stages[-opened]}" if opened else "train the head"
            phases.append(Phase(name, length, rate, rates, batch_norm=self.options.batch_norm))
        return phases

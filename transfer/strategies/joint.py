"""Joint training: the network trains on source and target together, so that the source is not forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from transfer.strategies import Phase, Setting, Shapes, Strategy, Term
from transfer.strategies.losses import source_accuracy, source_loss
from transfer.strategies.source_head import source_head

if TYPE_CHECKING:
    import keras


class Joint(Strategy):
    """One backbone learns both data sets at once, with a head for each, or one for both when the classes agree.

    The source's samples preserve what the backbone knows while the target's few labels adapt it.
    It misleads when the target is large: then the source only takes up training steps.

    Reference:
        Caruana 1997, Multitask Learning, section 2; the weighted sum of a source's and a target's loss
        as in Ge & Yu 2017, Borrowing Treasures from the Wealthy, eq. 1.
    """

    key = "joint"
    title = "Joint training"
    sentence = (
        "Source and target are trained together: one backbone, with an output layer for each, or a shared one when "
        "the classes are the same."
    )
    formula = (
        r"\min_{\theta,\,h_s,\,h_t}\; \mathcal{L}_{source}(h_s \circ f_\theta)"
        r" + \lambda\, \mathcal{L}_{target}(h_t \circ f_\theta)"
    )
    frozen = "nothing"
    reference = "[Ge & Yu 2017](https://arxiv.org/abs/1702.08690)"
    family = "With source data"
    needs = ("weights", "source data")

    class Options(Strategy.Options):
        """Joint training."""

        trade_off: float = Field(1.0, ge=0, le=1e3, description="Lambda: weight of the target's loss.")
        mix: float = Field(
            1.0, gt=0, le=16, description="Source pictures per target picture in each step.",
            json_schema_extra={"unit": "x"},
        )  # fmt: skip
        rate: float = Field(
            0.1, gt=0, le=1, description="Learning rate of all weights, relative to the experiment's.",
            json_schema_extra={"unit": "x"},
        )  # fmt: skip

    options: Joint.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The source's head, unless the target shares it."""
        return {} if shapes.keeps_head else {"source_head": source_head(shapes)}

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase on both; batch-norm statistics stay frozen, because each domain passes through separately."""
        rate = (setting.learning_rate or 1e-3) * self.options.rate
        terms = {"source_loss": Term(1.0, source_loss), "source_accuracy": Term(0.0, source_accuracy)}
        return [
            Phase(
                "train on both",
                setting.epochs,
                rate,
                dict.fromkeys(setting.stages, 1.0),
                # A new head starts at zero and has to catch up with the rest.
                head_rate=1.0 if setting.keeps_head else 1 / self.options.rate,
                terms=terms,
                target_weight=self.options.trade_off,
                source_ratio=self.options.mix,
            )
        ]

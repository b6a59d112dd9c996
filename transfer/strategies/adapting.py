"""What strategies without target labels have in common; no strategy of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from transfer.strategies import Need, Phase, Setting, Step, Strategy, Term, View
from transfer.strategies.losses import growing, source_accuracy, source_loss


class Adapting(Strategy):
    """Goes on learning the source's labels while a term draws the target's pictures to them.

    It begins with the network that has learned the source, head included. Source and target pass
    one after the other, each normalised by its own batch's statistics; the running ones, used for
    validation and test, are the target's. A rate that falls makes the last epoch a steady one.
    """

    frozen = "nothing"
    family = "Without target labels"
    needs: ClassVar[tuple[Need, ...]] = ("weights", "source data", "same classes")
    unlabelled = True
    views: tuple[View, ...] = ("plain",)
    labelled_view: View = "plain"

    class Options(Strategy.Options):
        """A strategy without target labels."""

        rate: float = Field(
            1.0, gt=0, le=1, description="Learning rate of the backbone, relative to that of the output layer.",
            json_schema_extra={"unit": "x"},
        )  # fmt: skip

        statistics: Literal["source", "own", "both"] = Field(
            "own",
            description="Batch-norm: the source's statistics; each domain by its own; or so with one running mean.",
        )
        decay: bool = Field(True, description="Lower the learning rate to 0 along a cosine.")
        ramp: bool = Field(True, description="Raise the weight of the extra loss from 0 during training, as DANN does.")

    options: Adapting.Options

    def ramped(self, weight: float, value: Callable[[Step], Any]) -> Term:
        """A term whose weight grows with progress."""
        if not self.options.ramp:
            return Term(weight, value)
        return Term(weight, lambda step: growing(step.progress) * value(step))

    def terms(self) -> Mapping[str, Term]:
        """What is added to the source's cross-entropy."""
        return {}

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase on both."""
        learning = {}
        if setting.source:
            learning = {"source_loss": Term(1.0, source_loss), "source_accuracy": Term(0.0, source_accuracy)}
        return [
            Phase(
                "adapt",
                setting.epochs,
                setting.learning_rate or 1e-3,
                dict.fromkeys(setting.stages, self.options.rate),
                terms={**learning, **self.terms()},
                source_ratio=1.0 if setting.source else 0.0,
                unlabelled=self.views,
                labelled_view=self.labelled_view,
                batch_norm="inference" if self.options.statistics == "source" else "batch",
                running="target" if self.options.statistics == "own" else "both",
                schedule="cosine" if self.options.decay else "",
            )
        ]

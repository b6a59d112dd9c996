"""What strategies without target labels have in common; not itself a strategy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from transfer.strategies import Need, Phase, Setting, Step, Strategy, Term, View
from transfer.strategies.losses import growing, source_accuracy, source_loss


class Adapting(Strategy):
    """Keeps training on the source's labels while an extra loss adapts the network to the target's pictures.

    It starts from the network trained on the source, head included. Source and target batches pass through
    separately, each normalised by its own statistics; the running statistics, used for validation and
    test, are the target's. A decaying learning rate keeps the last epoch stable.
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
            description="Batch-norm statistics. source: the source's. own: each domain its own, and the target's for "
            "testing. both: each domain its own, and a running mean over both for testing.",
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
        """One phase on source and target."""
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

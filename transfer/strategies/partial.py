"""Partial transfer: the lower stages are copied; those above start from random weights or are left out."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy, refuse


class Partial(Strategy):
    """Keeps the source's first stages and drops the rest.

    Low stages hold what all pictures share, high ones what is specific to the source; the cut asks where
    one ends and the other begins. With all stages kept and frozen it is feature extraction.
    It misleads when one cut is used for all data: the best one depends on the number of labels.

    Reference:
        Yosinski et al. 2014, How transferable are features in deep neural networks?, section 3
        (AnB: first n layers copied and frozen; AnB+: copied and fine-tuned).
    """

    key = "partial"
    title = "Some stages"
    sentence = "The lower stages come from the source; those above the cut start from random weights or are left out."
    formula = r"f = g_{\text{new}} \circ f^{\,1..k}_{\theta_0},\quad \min_{g,\,h}\; \mathcal{L}_{target}(h \circ f)"
    frozen = "the kept stages, unless they are trained too"
    reference = "[Yosinski et al. 2014](https://arxiv.org/abs/1411.1792)"
    family = "Part of a network"

    class Options(Strategy.Options):
        """Some stages."""

        keep: str = Field(
            "",
            max_length=80,
            description="Last stage to copy from the source. Empty: all but the last.",
            json_schema_extra={"choices": "stages"},
        )
        above: Literal["new", "dropped"] = Field(
            "new", description="Stages above the cut: start from random weights, or leave them out."
        )
        kept: Literal["frozen", "trained"] = Field(
            "frozen", description="trained: also train the kept stages, at a tenth of the learning rate."
        )

    options: Partial.Options

    @property
    def keeps_head(self) -> bool:
        """Never: the head starts new, also above a last stage that is kept."""
        return False

    def check(self, stages: tuple[str, ...]) -> None:
        """The stage to keep must be one of the backbone's; unless it is named, there must be one above it."""
        if not self.options.keep and len(stages) == 1:
            raise refuse(
                "The backbone has only one stage, so there is none to replace or leave out.",
                f"keep empty with the stage {stages[0]}",
                f"Set keep={stages[0]} to keep it frozen under a new head, or choose another backbone.",
            )
        if self.options.keep and self.options.keep not in stages:
            raise refuse(
                f"The backbone has no stage {self.options.keep!r}.", f"keep={self.options.keep}",
                f"Its stages, from the bottom, are {', '.join(stages)}.",
            )  # fmt: skip

    def copied(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """Those up to the cut."""
        keep = self.options.keep or stages[max(0, len(stages) - 2)]
        return stages[: stages.index(keep) + 1]

    def used(self, stages: tuple[str, ...]) -> tuple[str, ...]:
        """All, or only those up to the cut."""
        return stages if self.options.above == "new" else self.copied(stages)

    def phases(self, setting: Setting) -> list[Phase]:
        """New stages train with the head, batch-norm statistics included; kept ones are frozen or train slowly."""
        kept = self.copied(setting.stages) if self.options.above == "new" else setting.stages
        new = tuple(stage for stage in setting.stages if stage not in kept)
        rates = dict.fromkeys(kept, 0.1 if self.options.kept == "trained" else 0.0) | dict.fromkeys(new, 1.0)
        name = "train the new layers" if self.options.kept == "frozen" else "train the new layers, the rest slowly"
        rate = setting.learning_rate or 1e-3
        return [Phase(name, setting.epochs, rate, {k: v for k, v in rates.items() if v}, batch_norm=new or "inference")]

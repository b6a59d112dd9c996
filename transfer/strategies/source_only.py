"""Source only: the baseline, no adaptation at all."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from transfer.strategies.adapting import Adapting


class SourceOnly(Adapting):
    """Keeps training on the source and never looks at the target: the baseline for every other method here.

    Its first point is the source's network unchanged; its last has had the same further training as
    the methods it is compared with, so what they gain over it is due to the target's pictures.

    Reference:
        The row "source only" of Ganin et al. 2016, Domain-adversarial training of neural networks, table 2.
    """

    key = "source_only"
    title = "Source only"
    sentence = "Trained on the source only, never on the target: the baseline that adaptation has to beat."
    formula = r"\min_\theta \mathcal{L}_{source}(\theta)"
    reference = "[Ganin et al. 2016](https://arxiv.org/abs/1505.07818)"

    class Options(Adapting.Options):
        """Source only."""

        statistics: Literal["source"] = Field(
            "source",
            description="Batch-norm statistics: always the source's; measuring the target's would be adaptation.",
        )

    options: SourceOnly.Options

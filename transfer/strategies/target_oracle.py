"""Target oracle: all target labels, the ceiling."""

from __future__ import annotations

from transfer.strategies.fine_tuning import FineTuning


class TargetOracle(FineTuning):
    """The source's network fine-tuned on all target labels: what adaptation without any could hope for.

    It is no method for a target without labels but the ceiling its methods are measured by: their score is
    the share of the way from `source_only` to here. It misleads as a ceiling where few target labels exist.

    Reference:
        The row "train on target" of Ganin et al. 2016, table 2; "target supervised" of SHOT.
    """

    key = "target_oracle"
    title = "Target oracle"
    sentence = "Fine-tuned on all target labels: the upper bound for methods that use none."
    reference = "[Ganin et al. 2016](https://arxiv.org/abs/1505.07818)"
    family = "Without target labels"

    class Options(FineTuning.Options):
        """Target oracle."""

    options: TargetOracle.Options

"""Target oracle: all target labels, the upper bound."""

from __future__ import annotations

from transfer.strategies.fine_tuning import FineTuning


class TargetOracle(FineTuning):
    """The source's network fine-tuned on all target labels: the most that adaptation without labels can hope for.

    It is not a method for unlabelled targets but the upper bound for such methods: their score is the share of the
    gap from `source_only` to here that they close. It misleads as an upper bound where few target labels exist.

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

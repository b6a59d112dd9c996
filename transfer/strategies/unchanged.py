"""Unchanged: the source's network with its own head answers for the target. Nothing is trained, no label is used."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


class Unchanged(Strategy):
    """What the source's network says of the target as it is: where every adaptation sets out from.

    It costs nothing and needs no sample of the target. It misleads where the classes share their names only, or where
    the target's classes are of another frequency than the source's: the head expects what it has seen.

    Reference:
        The row "source only" of Ganin et al. 2016, Domain-adversarial training of neural networks, table 2.
    """

    key = "unchanged"
    title = "Unchanged"
    sentence = "The source's network and its own head answer for the target; nothing is trained, no label is used."
    formula = r"\hat y = \arg\max_c\, h_{source}\bigl(f_{source}(x)\bigr)_c"
    frozen = "everything"
    reference = "[Ganin et al. 2016](https://arxiv.org/abs/1505.07818)"
    family = "Without target labels"
    needs = ("weights", "source head", "same classes")
    unlabelled = True

    class Options(Strategy.Options):
        """Unchanged."""

    options: Unchanged.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """One epoch in which nothing is trained."""
        return [Phase("ask the source's network", 1, setting.learning_rate or 1e-3, head_rate=0.0)]

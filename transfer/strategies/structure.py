"""Structure transfer: the source's architecture, none of its weights."""

from __future__ import annotations

from transfer.strategies.from_scratch import FromScratch


class Structure(FromScratch):
    """Only the architecture is transferred; every weight is drawn at random.

    The same as training a pretrained backbone from scratch, with the same code: number for number
    the same run. It shows what the architecture alone is worth, apart from what it has learned.
    It misleads on small targets, where a large architecture without its weights only overfits.

    Reference:
        Zoph et al. 2018, Learning Transferable Architectures (an architecture found on one data
        set, trained anew on another); Saxe et al. 2011, On Random Weights, for what remains.
    """

    key = "structure"
    title = "Structure transfer"
    sentence = "The source's architecture with new random weights: another name for From scratch."
    formula = (
        r"\min_{\theta,\,h}\; \mathcal{L}_{target}(h \circ f_\theta),\quad"
        r" f \text{ of the source},\ \theta_0 \sim \text{random}"
    )
    frozen = "nothing: only the architecture is kept"
    reference = "[Zoph et al. 2018](https://arxiv.org/abs/1707.07012)"
    family = "Part of a network"

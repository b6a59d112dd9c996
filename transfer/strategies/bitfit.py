"""BitFit: only what is added moves, nothing that is multiplied."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


def is_bias(layer: str, path: str) -> bool:
    """Biases of layers, and the shift of normalisations, which is one."""
    return path.endswith(("/bias", "/beta"))


class BitFit(Strategy):
    """Fine-tunes biases and the head, well below one percent of a large network.

    It asks whether a new task needs new features or only new thresholds on the old ones. It
    misleads on a network whose convolutions have no bias: there only batch-norm's shifts move.

    Reference:
        Ben Zaken, Goldberg & Ravfogel 2022, BitFit, section 3; made for transformers, here the shift
        of a normalisation counts as a bias.
    """

    key = "bitfit"
    title = "Biases only"
    sentence = "Only the biases and the output layer are trained: new thresholds on old features."
    formula = r"\min_{b,\,h}\; \mathcal{L}_{target}(h \circ f_{W_0,\,b}),\quad W_0 \text{ fixed}"
    frozen = "every weight that multiplies"
    reference = "[Ben Zaken et al. 2022](https://arxiv.org/abs/2106.10199)"
    family = "Few weights"
    works_on = "biases"

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase; statistics of batch-norm stay."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return [Phase("train the biases", setting.epochs, setting.learning_rate or 1e-3, rates, moves=is_bias)]

"""BitFit: only biases are trained, no weight that multiplies."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


def is_bias(layer: str, path: str) -> bool:
    """Biases of layers, and the shift of normalisation layers, which is a bias too."""
    return path.endswith(("/bias", "/beta"))


class BitFit(Strategy):
    """Fine-tunes the biases and the head, well under one percent of a large network's weights.

    It asks whether a new task needs new features or only new thresholds on the old ones. It
    misleads on a network whose convolutions have no bias: there only batch-norm's shifts are trained.

    Reference:
        Ben Zaken, Goldberg & Ravfogel 2022, BitFit, section 3; made for transformers, here the shift
        of a normalisation layer counts as a bias.
    """

    key = "bitfit"
    title = "Biases only"
    sentence = "Only the biases and the output layer are trained: new thresholds on old features."
    formula = r"\min_{b,\,h}\; \mathcal{L}_{target}(h \circ f_{W_0,\,b}),\quad W_0 \text{ fixed}"
    frozen = "all weights except biases"
    reference = "[Ben Zaken et al. 2022](https://arxiv.org/abs/2106.10199)"
    family = "Few trainable weights"
    works_on = "biases"

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase; batch-norm statistics stay frozen."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return [Phase("train the biases", setting.epochs, setting.learning_rate or 1e-3, rates, moves=is_bias)]

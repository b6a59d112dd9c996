"""Norm tuning: only the scale and shift of the normalisation layers are trained."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


def scales_or_shifts(layer: str, path: str) -> bool:
    """Scale and shift of a normalisation layer."""
    return "Normalization" in layer and path.endswith(("/gamma", "/beta"))


class NormTuning(Strategy):
    """Fine-tunes the affine part of normalisation layers and the head.

    A channel can be turned up, down or off, but not recomputed. It misleads as a measure of transfer: what is
    missing from the features cannot be learned. A backbone without normalisation layers (VGG) is refused.

    Reference:
        Frankle, Schwab & Morcos 2021, Training BatchNorm and Only BatchNorm, section 2, here on
        trained weights instead of random ones.
    """

    key = "norm_tuning"
    title = "Normalisations only"
    sentence = "Only the scale and shift of the normalisation layers and the output layer are trained."
    formula = r"\min_{\gamma,\,\beta,\,h}\; \mathcal{L}_{target},\quad y = \gamma\,\hat{x} + \beta"
    frozen = "everything except the scale and shift of normalisation layers"
    reference = "[Frankle et al. 2021](https://arxiv.org/abs/2003.00152)"
    family = "Few trainable weights"
    works_on = "normalisation"

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase; the statistics stay frozen, only scale and shift are trained."""
        rates = dict.fromkeys(setting.stages, 1.0)
        name = "train the normalisation layers"
        return [Phase(name, setting.epochs, setting.learning_rate or 1e-3, rates, moves=scales_or_shifts)]

"""Feature extraction: the backbone is frozen; only the head is trained."""

from __future__ import annotations

from transfer.strategies import Phase, Setting, Strategy


class FeatureExtraction(Strategy):
    """A linear probe on frozen features.

    It shows how much of the target the source's features already capture. It misleads when
    source and target look different: features that a few steps of training would fix stay as they are.

    Reference:
        Donahue et al. 2014, DeCAF; Kornblith, Shlens & Le 2019, section 4 (linear classifier on
        fixed features; trained here by gradient steps instead of L-BFGS).
    """

    key = "feature_extraction"
    title = "Feature extraction"
    sentence = "The backbone is frozen; only a new output layer is trained on its features."
    formula = r"\min_{h}\; \mathcal{L}_{target}(h \circ f_{\theta_0}),\quad \theta_0 \text{ fixed}"
    frozen = "the whole backbone"
    reference = "[Donahue et al. 2014](https://arxiv.org/abs/1310.1531)"

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase with every stage frozen, so that features are computed only once."""
        return [Phase("train the head", setting.epochs, setting.learning_rate or 1e-3)]

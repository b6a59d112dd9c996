"""Fine-tuning: a linear probe first, then all weights, gently."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy, Term


class FineTuning(Strategy):
    """LP-FT: a linear probe, then all weights at a lower rate.

    A new head sends large random gradients down into the backbone and wrecks what it has learned,
    so the head is trained first, alone. With the same classes the source's head is kept:
    nothing in the network is random, and the probe is skipped. It misleads with a high
    learning rate: the source is forgotten, and the curve is that of a lucky initialisation.

    Reference:
        Kumar et al. 2022, Fine-Tuning can Distort Pretrained Features, section 3 (LP-FT);
        Keras' transfer learning guide for batch-norm in inference mode throughout.
    """

    key = "fine_tuning"
    title = "Fine-tuning"
    sentence = (
        "First the new output layer is trained, then the whole network, gently. With the same classes the old output "
        "layer is kept."
    )
    formula = (
        r"h_1 = \arg\min_h \mathcal{L}_{target}(h \circ f_{\theta_0}),\quad"
        r"\min_{\theta,\,h}\; \mathcal{L}_{target}(h \circ f_\theta)\ \text{from}\ (\theta_0, h_1)"
    )
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Kumar et al. 2022](https://arxiv.org/abs/2202.10054)"

    class Options(Strategy.Options):
        """Fine-tuning."""

        probe_share: float = Field(
            0.3,
            ge=0,
            le=0.9,
            description="Share of the epochs in which only the new output layer is trained.",
            json_schema_extra={"unit": "share"},
        )
        fine_rate: float = Field(
            0.1,
            gt=0,
            le=1,
            description="Learning rate of the second phase, relative to the first.",
            json_schema_extra={"unit": "x"},
        )

    options: FineTuning.Options

    def phases(self, setting: Setting) -> list[Phase]:
        """Probe and fine-tune; only fine-tune when the source's head is kept."""
        rate = setting.learning_rate or 1e-3
        probe = 0 if setting.keeps_head else self.probe(setting.epochs)
        fine = self.fine(setting, setting.epochs - probe, rate * self.options.fine_rate)
        return [Phase("train the head", probe, rate), fine] if probe else [fine]

    def probe(self, epochs: int) -> int:
        """Epochs in which only a new head is trained; at least one is left for the whole network."""
        return min(round(self.options.probe_share * epochs), epochs - 1)

    def fine(self, setting: Setting, epochs: int, rate: float) -> Phase:
        """The phase after the probe, in which everything is trained."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return Phase("fine-tune everything", epochs, rate, rates=rates, terms=self.terms())

    def terms(self) -> Mapping[str, Term]:
        """What strategies derived from this one add to the loss of the second phase."""
        return {}

"""StochNorm: batch-norm that mixes the source's statistics with the target's, channel by channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from transfer.strategies import Phase, Setting
from transfer.strategies.fine_tuning import FineTuning

if TYPE_CHECKING:
    import keras


def layer_class() -> Any:
    """The layer; defined here because a page that imports this file must not import Keras."""
    import keras
    from keras import ops

    class StochNormalization(keras.layers.BatchNormalization):
        """In training, each channel uses its moving statistics with probability p, otherwise the batch's."""

        p: float
        noise: keras.random.SeedGenerator

        def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
            """Normalises; in inference, exactly as batch-norm does."""
            if not training:
                return super().call(inputs, training=False)
            by_batch = super().call(inputs, training=True)
            by_moving = super().call(inputs, training=False)
            draw = keras.random.uniform((inputs.shape[-1],), seed=self.noise) < self.p
            return ops.where(draw, by_moving, by_batch)

    return StochNormalization


class StochNorm(FineTuning):
    """Fine-tuning in which batch-norm sometimes uses the source's statistics.

    With few labels, a batch's own statistics are noise to overfit; switching channels at random between the
    batch's and the moving ones regularises. The training curve misleads: channels switch there, but not in
    validation. A backbone without batch-norm is refused.

    Reference:
        Kou et al. 2020, Stochastic Normalization, eq. 4; p = 0.5 as there. The moving branch here
        uses the statistics after this batch's update.
    """

    key = "stoch_norm"
    title = "StochNorm"
    sentence = "Fine-tuning in which each batch-norm channel randomly uses the source's or the batch's statistics."
    formula = r"\hat{x} = s\,\hat{x}_{moving} + (1 - s)\,\hat{x}_{batch},\quad s \sim \text{Bernoulli}(p)"
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Kou et al. 2020](https://proceedings.neurips.cc/paper/2020/hash/bc573864331a9e42e4511de6f678aa83-Abstract.html)"
    family = "Close to the source"
    works_on = "batch norm"
    adds = "stochastic normalisation"

    class Options(FineTuning.Options):
        """StochNorm."""

        p: float = Field(
            0.5,
            ge=0,
            le=1,
            description="Probability that a channel uses the moving statistics.",
            json_schema_extra={"unit": "share"},
        )

    options: StochNorm.Options

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """Every batch-norm becomes a stochastic one with the same weights."""
        import keras

        kind = layer_class()

        def replaced(layer: keras.layers.Layer) -> keras.layers.Layer:
            if type(layer) is not keras.layers.BatchNormalization:
                return layer.__class__.from_config(layer.get_config())
            made = kind.from_config(layer.get_config())
            made.p, made.noise = self.options.p, keras.random.SeedGenerator()
            return made

        rebuilt = {}
        for name, stage in stages.items():
            old = {layer.name: layer.get_weights() for layer in stage.layers if layer.get_weights()}
            model = keras.models.clone_model(stage, clone_function=replaced)
            for layer in model.layers:
                weights = old.get(layer.name, [])
                layer.set_weights(weights + layer.get_weights()[len(weights) :])
            model.name = name
            rebuilt[name] = model
        return rebuilt

    def fine(self, setting: Setting, epochs: int, rate: float) -> Phase:
        """As in fine-tuning, but with the batch's statistics in use."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return Phase("fine-tune everything", epochs, rate, rates, batch_norm="batch", terms=self.terms())

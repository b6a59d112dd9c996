"""Adapters: a small bottleneck after every stage is trained; the stages stay frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy

if TYPE_CHECKING:
    import keras


def is_adapter(layer: str, path: str) -> bool:
    """The layers that are added on top of the stages."""
    return "adapter_" in path


class Adapters(Strategy):
    """Adds a residual bottleneck to each stage's output and trains the bottlenecks and the head.

    The last layer of each starts at zero, so the network starts exactly as transferred. It misleads
    on small networks, whose bottlenecks are either too narrow to be useful or too wide to save weights.

    Reference:
        Houlsby et al. 2019, Parameter-Efficient Transfer Learning, section 2.1; for convolutions
        Rebuffi, Bilen & Vedaldi 2018 (1 x 1 convolutions), here after a stage, in series.
    """

    key = "adapters"
    title = "Adapters"
    sentence = "The stages stay frozen; a small residual bottleneck after each and the output layer are trained."
    formula = r"x' = x + W_{up}\,\sigma(W_{down}\,x),\quad W_{up} = 0 \text{ at the start}"
    frozen = "all of the source's weights"
    reference = "[Houlsby et al. 2019](https://arxiv.org/abs/1902.00751)"
    family = "Few trainable weights"
    adds = "a bottleneck"

    class Options(Strategy.Options):
        """Adapters."""

        reduction: int = Field(
            4,
            ge=1,
            le=64,
            description="How many times narrower the bottleneck is than the stage.",
            json_schema_extra={"unit": "x"},
        )

    options: Adapters.Options

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """Each stage with its adapter on top."""
        return {name: self._adapted(name, stage) for name, stage in stages.items()}

    def _adapted(self, name: str, stage: keras.Model) -> keras.Model:
        import keras

        flowing: Any = stage.output
        width = flowing.shape[-1]
        narrow = max(4, width // self.options.reduction)
        down: Any = keras.layers.Dense(narrow, activation="relu", name=f"adapter_down_{name}")
        # A dense layer on the last axis is a 1 x 1 convolution where there are rows and columns.
        up: Any = keras.layers.Dense(width, kernel_initializer="zeros", name=f"adapter_up_{name}")
        return keras.Model(stage.input, flowing + up(down(flowing)), name=name)

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase: adapters and head."""
        rates = dict.fromkeys(setting.stages, 1.0)
        rate = setting.learning_rate or 1e-3
        return [Phase("train the adapters", setting.epochs, rate, rates, moves=is_adapter)]

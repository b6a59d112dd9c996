"""LoRA: the change to every kernel is a product of two thin matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from transfer.strategies import Phase, Setting, Strategy

if TYPE_CHECKING:
    import keras


def is_low_rank(layer: str, path: str) -> bool:
    """The two factors that Keras' ``enable_lora`` adds to a layer."""
    return "/lora_" in path


class LoRA(Strategy):
    """Adds a low-rank update to dense and convolution kernels and trains only the updates and the head.

    The update starts at zero, so the first step is that of the transferred network. It misleads
    on small networks: there the two factors may hold more weights than the kernel they update.

    Reference:
        Hu et al. 2022, LoRA, eq. 3; with Keras' own ``layer.enable_lora`` (A he-uniform, B zero), on
        convolutions as peft does it. Depthwise kernels have no low rank to speak of and stay frozen.
    """

    key = "lora"
    title = "LoRA"
    sentence = "The kernels stay frozen; a low-rank update to each of them and the output layer are trained."
    formula = r"W = W_0 + \tfrac{\alpha}{r}\, A B,\quad A \in \mathbb{R}^{d \times r},\ B \in \mathbb{R}^{r \times k}"
    frozen = "all of the source's weights"
    reference = "[Hu et al. 2022](https://arxiv.org/abs/2106.09685)"
    family = "Few trainable weights"
    works_on = "kernels"
    adds = "low-rank updates"

    class Options(Strategy.Options):
        """LoRA."""

        rank: int = Field(8, ge=1, le=256, description="Rank of each update.", json_schema_extra={"unit": "columns"})
        alpha: float = Field(
            8.0, gt=0, le=1024, description="The update is scaled by alpha / rank.", json_schema_extra={"unit": "x"}
        )

    options: LoRA.Options

    def rebuild(self, stages: dict[str, keras.Model]) -> dict[str, keras.Model]:
        """Every dense and convolution layer gets its two factors."""
        for stage in stages.values():
            for layer in stage._flatten_layers():
                if hasattr(layer, "enable_lora") and type(layer).__name__ in ("Dense", "Conv1D", "Conv2D", "Conv3D"):
                    layer.enable_lora(self.options.rank, lora_alpha=self.options.alpha)
        return stages

    def phases(self, setting: Setting) -> list[Phase]:
        """One phase: the factors and the head."""
        rates = dict.fromkeys(setting.stages, 1.0)
        return [Phase("train the updates", setting.epochs, setting.learning_rate or 1e-3, rates, moves=is_low_rank)]

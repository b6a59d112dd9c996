"""CDAN: the discriminator also sees the network's predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from transfer.strategies import Shapes, Step
from transfer.strategies.dann import DANN, discriminator
from transfer.strategies.losses import plain, unit

if TYPE_CHECKING:
    import keras

MOST = 4096


def certainty(answers: Any) -> Any:
    """Weight of each row, 1 + exp(-entropy), shape (n,), 1 to 2; under a stopped gradient."""
    from keras import ops

    entropy = -ops.sum(answers * ops.log(answers + 1e-8), axis=1)
    return ops.stop_gradient(1.0 + ops.exp(-entropy))


class CDAN(DANN):
    """Like DANN, but the discriminator sees features times predictions, so that each class is aligned with itself.

    Confident predictions count for more. It misleads while the predictions are wrong, because it aligns by them.

    Reference:
        Long et al. 2018, Conditional adversarial domain adaptation, eq. 3 (multilinear map), 6 (randomised above
        4096 products) and 8 (entropy conditioning). Deviations as for DANN; the predictions keep their
        gradient, as in the equation: stopping it, as the authors' code does, cost 3 points on digits.
    """

    key = "cdan"
    title = "CDAN"
    sentence = "DANN with a discriminator that also sees the predictions and gives confident ones more weight."
    formula = (
        r"\min_\theta \max_d\; \mathcal{L}_{source}"
        r" - \lambda(p)\, \mathcal{L}_{domain}(d \circ (f_\theta \otimes p_\theta))"
    )
    reference = "[Long et al. 2018](https://arxiv.org/abs/1705.10667)"

    class Options(DANN.Options):
        """CDAN."""

        entropy: bool = Field(True, description="Give confident predictions more weight (CDAN+E).")

    options: CDAN.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The discriminator, and random maps where the product would be too wide."""
        import keras

        width = list(shapes.stages.values())[-1][-1]
        if width * shapes.classes <= MOST:
            return {"discriminator": discriminator(width * shapes.classes, self.options.units)}
        maps = {
            name: keras.Sequential(
                [keras.Input((size,)), keras.layers.Dense(1024, use_bias=False, kernel_initializer="random_normal")]
            )
            for name, size in (("features", width), ("answers", shapes.classes))
        }
        return {"discriminator": discriminator(1024, self.options.units), **maps}

    def seen(self, step: Step) -> tuple[Any, Any, Any]:
        """The products of features and predictions."""
        from keras import ops

        source, target = plain(step)
        assert step.source is not None
        features = ops.concatenate([unit(source), unit(target)], axis=0) * source.shape[-1] ** 0.5
        logits = ops.concatenate([step.source.logits, step.unlabelled["plain"].logits], axis=0)
        answers = ops.softmax(logits)
        if "answers" in step.parts:
            # The maps are drawn once and never trained.
            mapped = [
                ops.matmul(one, ops.stop_gradient(step.parts[name].weights[0].value) * 20.0)
                for name, one in (("features", features), ("answers", answers))
            ]
            both = mapped[0] * mapped[1] / 32.0
        else:
            products = ops.expand_dims(features, 2) * ops.expand_dims(answers, 1)
            both = ops.reshape(products, (-1, features.shape[-1] * answers.shape[-1]))
        return both, ops.shape(source)[0], certainty(answers) if self.options.entropy else None

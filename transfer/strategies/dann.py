"""DANN: a discriminator tells the domains apart, and the features learn to fool it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from transfer.strategies import Shapes, Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import growing, plain, reversed_gradient, unit

if TYPE_CHECKING:
    import keras


def discriminator(width: int, hidden: int) -> keras.Model:
    """Maps features to one logit, above 0 for the source; built before training begins."""
    import keras

    return keras.Sequential(
        [
            keras.Input((width,)),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )


def told_apart(logits: Any, sources: Any) -> Any:
    """Share of a batch whose domain the discriminator gets right; 0.5 is guessing.

    Args:
        logits: shape (n, 1), the source's rows first.
        sources: how many of them are the source's.
    """
    from keras import ops

    right = ops.concatenate([logits[:sources, 0] > 0, logits[sources:, 0] <= 0], axis=0)
    return ops.mean(ops.cast(right, "float32"))


def confusion(logits: Any, sources: Any, weights: Any = None) -> Any:
    """Binary cross-entropy of the discriminator; each domain counts for half.

    Args:
        logits: shape (n, 1), the source's rows first.
        sources: how many of them are the source's.
        weights: weight of each row, shape (n,); None: all equal.
    """
    from keras import ops

    each = ops.concatenate([ops.softplus(-logits[:sources, 0]), ops.softplus(logits[sources:, 0])], axis=0)
    if weights is None:
        weights = ops.ones_like(each)
    halves = [
        ops.sum(weights[part] * each[part]) / ops.sum(weights[part])
        for part in (slice(0, sources), slice(sources, None))
    ]
    return 0.5 * (halves[0] + halves[1])


class DANN(Adapting):
    """A discriminator learns to tell source from target features; reversed gradients make them indistinguishable.

    It helps where the domains differ in style. It misleads when class frequencies differ between the domains.
    It is known to be unstable from random weights, so here it starts from the source's network.

    Reference:
        Ganin et al. 2016, Domain-adversarial training of neural networks, eq. 10 and 13 to 15, with lambda growing
        with progress (section 5.2.2). Deviations: the discriminator sees features of length d^(1/2), and the reversed
        gradient has its own weight, because textbook DANN with lambda 1 fell below chance in trials.
    """

    key = "dann"
    title = "DANN"
    sentence = "A discriminator learns to tell source from target; the features learn to fool it."
    formula = r"\min_\theta \max_d\; \mathcal{L}_{source} - \lambda(p)\, \mathcal{L}_{domain}(d \circ f_\theta)"
    reference = "[Ganin et al. 2016](https://arxiv.org/abs/1505.07818)"

    class Options(Adapting.Options):
        """DANN."""

        weight: float = Field(0.1, ge=0, le=10, description="Weight of the reversed gradient on the features.")
        units: int = Field(
            128, ge=1, le=8192, description="Width of the discriminator's two hidden layers.",
            json_schema_extra={"unit": "units"},
        )  # fmt: skip

    options: DANN.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The discriminator."""
        return {"discriminator": discriminator(list(shapes.stages.values())[-1][-1], self.options.units)}

    def seen(self, step: Step) -> tuple[Any, Any, Any]:
        """The discriminator's input, the source's rows first; the number of those rows; and the weights of all rows."""
        from keras import ops

        source, target = plain(step)
        both = ops.concatenate([unit(source), unit(target)], axis=0) * source.shape[-1] ** 0.5
        return both, ops.shape(source)[0], None

    def terms(self) -> Mapping[str, Term]:
        """The discriminator's loss, whose gradient is reversed for the features, and its accuracy."""

        def loss(step: Step) -> Any:
            both, sources, weights = self.seen(step)
            both = reversed_gradient(both, self.options.weight * growing(step.progress))
            return confusion(step.parts["discriminator"](both, training=True), sources, weights)

        def accuracy(step: Step) -> Any:
            both, sources, _ = self.seen(step)
            return told_apart(step.parts["discriminator"](both, training=False), sources)

        return {"domain_loss": Term(1.0, loss), "domain_accuracy": Term(0.0, accuracy)}

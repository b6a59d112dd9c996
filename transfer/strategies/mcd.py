"""MCD: where two heads disagree on the target, its features differ from the source's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from transfer.strategies import Shapes, Step, Term
from transfer.strategies.adapting import Adapting
from transfer.strategies.losses import growing, plain, reversed_gradient

if TYPE_CHECKING:
    import keras


def disagreement(one: Any, other: Any) -> Any:
    """Mean absolute difference between two heads' predictions, 0 to 2 / classes.

    Args:
        one: logits, shape (n, classes).
        other: logits, shape (n, classes).

    Reference:
        Saito et al. 2018, eq. 1.
    """
    from keras import ops

    return ops.mean(ops.abs(ops.softmax(one) - ops.softmax(other)))


class MCD(Adapting):
    """Two heads learn the source and are driven apart on the target; the features learn to make them agree.

    Where two heads that both know the source disagree, the target's features differ from the source's. It misleads
    when the heads are too similar to disagree.

    Reference:
        Saito et al. 2018, Maximum classifier discrepancy, eq. 1 and 5 to 7. Deviations: one step with reversed
        gradients instead of three alternating ones (the authors' own variant with a gradient reversal layer);
        both heads start as noisy copies of the source's, and a third, the network's own, makes the predictions.
    """

    key = "mcd"
    title = "MCD"
    sentence = "Two output layers are trained to disagree on the target; the features learn to make them agree."
    formula = (
        r"\min_\theta \max_{h_1, h_2}\; \lambda\, |h_1 \circ f_\theta - h_2 \circ f_\theta|_T"
        r" - \mathcal{L}_{source}(h_1, h_2)"
    )
    reference = "[Saito et al. 2018](https://arxiv.org/abs/1712.02560)"

    class Options(Adapting.Options):
        """MCD."""

        weight: float = Field(1.0, ge=0, le=100, description="Lambda: weight of the disagreement loss.")

    options: MCD.Options

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The heads that disagree; the network's own head still makes the predictions."""
        import keras

        found: dict[str, keras.layers.Layer] = {}
        width = list(shapes.stages.values())[-1][-1]
        for place, name in enumerate(("head_1", "head_2")):
            layer = keras.layers.Dense(shapes.classes, dtype="float32", name=name)
            layer.build((None, width))
            if shapes.source_head is not None:
                kernel, bias = shapes.source_head
                noise = np.random.default_rng(place).normal(0, kernel.std(), kernel.shape)
                layer.set_weights([(kernel + 0.5 * noise).astype("float32"), bias])
            found[name] = layer
        return found

    def terms(self) -> Mapping[str, Term]:
        """Both heads' loss on the source, and their disagreement on the target, which they increase."""

        def heads(step: Step) -> Any:
            from keras import losses, ops

            source, _ = plain(step)
            assert step.source is not None
            share = min(1.0, self.options.weight)
            source = share * source + (1.0 - share) * ops.stop_gradient(source)
            each = [
                losses.categorical_crossentropy(step.source.labels, step.parts[name](source), from_logits=True)
                for name in ("head_1", "head_2")
            ]
            return ops.mean(each[0]) + ops.mean(each[1])

        def apart(step: Step) -> Any:
            _, target = plain(step)
            target = reversed_gradient(target, growing(step.progress))
            return -disagreement(step.parts["head_1"](target), step.parts["head_2"](target))

        def shown(step: Step) -> Any:
            _, target = plain(step)
            return disagreement(step.parts["head_1"](target), step.parts["head_2"](target))

        return {
            "heads_loss": Term(1.0, heads),
            "heads_apart": Term(self.options.weight, apart),
            "disagreement": Term(0.0, shown),
        }

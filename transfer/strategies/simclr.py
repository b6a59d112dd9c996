"""SimCLR: the network first learns from the target's pictures without labels, then from the few labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from transfer.strategies import Phase, Setting, Shapes, Step, Strategy, Term
from transfer.strategies.feature_extraction import FeatureExtraction
from transfer.strategies.fine_tuning import FineTuning

if TYPE_CHECKING:
    import keras


def contrast(one: Any, other: Any, temperature: float) -> Any:
    """NT-Xent: each picture's two views should be closer to one another than to all other views in the batch.

    Args:
        one: projections of the first view, shape (n, d).
        other: those of the second, in the same order.
        temperature: above 0.

    Returns:
        Mean over both views, nats; ln(2n - 1) when all views are alike.

    Reference:
        Chen et al. 2020, A simple framework for contrastive learning (SimCLR), eq. 1.
    """
    from keras import losses, ops

    both = ops.cast(ops.concatenate([one, other], axis=0), "float32")
    both = both / ops.sqrt(ops.sum(ops.square(both), axis=1, keepdims=True) + 1e-8)
    count = ops.shape(one)[0]
    alike = ops.matmul(both, ops.transpose(both)) / temperature - 1e9 * ops.eye(2 * count)
    partner = (ops.arange(2 * count) + count) % (2 * count)
    return ops.mean(losses.sparse_categorical_crossentropy(partner, alike, from_logits=True))


THEN: dict[str, type[Strategy]] = {"fine_tuning": FineTuning, "feature_extraction": FeatureExtraction}


class SimCLR(Strategy):
    """Two views of a picture are drawn together and apart from all others, without labels; then labels are learned.

    Unsupervised transfer: the few labelled pictures build on what the many unlabelled ones teach. It misleads with
    small batches, which hold few others to be kept apart from, and where a view changes the class.

    Reference:
        Chen et al. 2020, SimCLR, eq. 1, with a projection of two layers that is thrown away (section 4.2). Deviation:
        views without colour changes or crops, for digits.
    """

    key = "simclr"
    title = "SimCLR"
    sentence = "First the network learns from the target's pictures without labels, then from the labels available."
    formula = (
        r"\min_\theta -\log \frac{e^{z_i \cdot z_j / \tau}}{\sum_{k \ne i} e^{z_i \cdot z_k / \tau}}"
        r"\;,\;\text{then}\; \min_{\theta, h} \mathcal{L}_{target}"
    )
    frozen = "nothing, or the backbone in the second half"
    reference = "[Chen et al. 2020](https://arxiv.org/abs/2002.05709)"
    start = "random"
    needs = ()

    class Options(Strategy.Options):
        """SimCLR."""

        then: Literal["fine_tuning", "feature_extraction"] = Field(
            "fine_tuning", description="How the network learns from labels in the second half of the epochs."
        )
        temperature: float = Field(
            0.5, gt=0, le=10, description="Temperature: lower values give the most similar pictures more weight."
        )

    options: SimCLR.Options

    @property
    def random_head(self) -> bool:
        """No: the head is trained after the backbone, which needs no gradient from it."""
        return False

    def parts(self, shapes: Shapes) -> dict[str, keras.layers.Layer]:
        """The projection."""
        import keras

        width = list(shapes.stages.values())[-1][-1]
        hidden = min(width, 512)
        layers = [keras.Input((width,)), keras.layers.Dense(hidden, activation="relu"), keras.layers.Dense(64)]
        return {"projection": keras.Sequential(layers, name="projection")}

    def phases(self, setting: Setting) -> list[Phase]:
        """Half of the epochs without labels, half with."""

        def value(step: Step) -> Any:
            project = step.parts["projection"]
            views = step.unlabelled["strong"].features, step.unlabelled["second"].features
            return contrast(project(views[0]), project(views[1]), self.options.temperature)

        rate, everything = setting.learning_rate or 1e-3, dict.fromkeys(setting.stages, 1.0)
        first = max(1, setting.epochs // 2)
        alone = Phase(
            "learn without labels",
            first,
            rate,
            everything,
            head_rate=0.0,
            part_rate=1.0,
            batch_norm="batch",
            terms={"contrast": Term(1.0, value)},
            unlabelled=("strong", "second"),
            target_weight=0.0,
        )
        if setting.epochs == 1:
            return [alone]
        return [alone, *THEN[self.options.then]().phases(replace(setting, epochs=setting.epochs - first))]

"""DELTA: fine-tuning that keeps feature maps close to the source's, the most important ones closest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from transfer.strategies import Ready, Step, Term
from transfer.strategies.fine_tuning import FineTuning
from transfer.strategies.l2_sp import size_of_head

PICTURES = 8
PREFIX = "attention:"


def behaviour(step: Step) -> Any:
    """How far feature maps have moved from the source's on the same pictures; 0 at the start.

    Per stage: channels times the attention-weighted mean over positions of the squared difference,
    halved, and averaged over the batch, so that a stage's share does not grow with its size.
    """
    from keras import ops

    assert step.origin is not None
    total = ops.zeros(())
    for name, begun in step.origin.maps.items():
        if PREFIX + name not in step.known:
            continue
        attention = ops.convert_to_tensor(step.known[PREFIX + name], "float32")
        apart = ops.square(ops.cast(step.maps[name], "float32") - ops.cast(begun, "float32"))
        total = total + 0.5 * begun.shape[-1] * ops.mean(ops.sum(apart * attention, axis=-1))
    return total


def attention(losses_without: np.ndarray, loss: float) -> np.ndarray:
    """How much each channel matters: softmax of the loss without it minus the loss with it; sums to 1."""
    risen = losses_without - loss
    weights = np.exp(risen - risen.max())
    return (weights / weights.sum()).astype("float32")


class Delta(FineTuning):
    """Fine-tuning that preserves the network's feature maps instead of its weights.

    Channels that the target's labels depend on are held tightly; others may change. It misleads when
    the source's important channels are the wrong ones for the target.

    Reference:
        Li et al. 2019, DELTA, eq. 3 to 6; the weight 0.01 as in TLlib. Attention is measured on 8
        training pictures with the head as it is when the phase begins; distances are means over positions.
    """

    key = "delta"
    title = "DELTA"
    sentence = "Fine-tuning that keeps feature maps close to the source's, especially the channels that matter most."
    formula = (
        r"\mathcal{L}_{target} + \alpha \sum_j W_j \lVert FM_j(\theta, x) - FM_j(\theta_0, x) \rVert^2"
        r" + \tfrac{\beta}{2} \lVert h \rVert^2"
    )
    frozen = "the backbone while a new head learns, then nothing"
    reference = "[Li et al. 2019](https://arxiv.org/abs/1901.09229)"
    family = "Close to the source"
    watches_origin = True

    class Options(FineTuning.Options):
        """DELTA."""

        alpha: float = Field(
            0.01, ge=0, le=1e9, description="How strongly feature maps are pulled towards the source's."
        )
        beta: float = Field(
            0.01, ge=0, le=1e9, description="How strongly the output layer's weights are pulled towards zero."
        )

    options: Delta.Options

    def prepare(self, ready: Ready) -> dict[str, np.ndarray]:
        """The attention of each channel in each stage: how much the loss rises when the channel is switched off."""
        inputs, labels = ready.inputs[:PICTURES], ready.labels[:PICTURES]
        known = {}
        for name, maps in ready.maps(inputs).items():
            loss = _cross_entropy(ready.above(name, maps), labels)
            without = []
            for channel in range(maps.shape[-1]):
                silent = maps.copy()
                silent[..., channel] = 0
                without.append(_cross_entropy(ready.above(name, silent), labels))
            known[PREFIX + name] = attention(np.array(without), loss)
        return known

    def terms(self) -> Mapping[str, Term]:
        """The two penalties, each with its own curve."""
        return {
            "behaviour": Term(self.options.alpha, behaviour),
            "head_size": Term(self.options.beta, size_of_head),
        }


def _cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(labels)), labels].mean())

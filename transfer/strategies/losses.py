"""Losses that several strategies share: pure functions of a `Step` or of arrays, written with ``keras.ops``."""

from __future__ import annotations

from typing import Any

from transfer.strategies import Step


def plain(step: Step) -> tuple[Any, Any]:
    """Features of source and target, unchanged, shapes (n, d) and (m, d)."""
    assert step.source is not None
    return step.source.features, step.unlabelled["plain"].features


def unit(features: Any) -> Any:
    """Features scaled to length one; the gradient treats the length as a constant.

    Otherwise shrinking all features would lower a term without aligning anything.
    """
    from keras import ops

    features = ops.cast(features, "float32")
    length = ops.sqrt(ops.sum(ops.square(features), axis=1, keepdims=True) + 1e-8)
    return features / ops.stop_gradient(length)


def source_logits(step: Step) -> Any:
    """Logits of the source's head for the source's batch; of the shared head when the classes are the same."""
    from keras import ops

    assert step.source is not None
    if "source_head" in step.parts:
        return step.parts["source_head"](ops.cast(step.source.features, "float32"))
    return step.source.logits


def source_loss(step: Step) -> Any:
    """Cross-entropy on the source's batch."""
    from keras import losses, ops

    assert step.source is not None
    return ops.mean(losses.categorical_crossentropy(step.source.labels, source_logits(step), from_logits=True))


def source_accuracy(step: Step) -> Any:
    """Share of the source's batch that is classified correctly, 0 to 1."""
    from keras import ops

    assert step.source is not None
    hits = ops.equal(ops.argmax(source_logits(step), axis=-1), ops.argmax(step.source.labels, axis=-1))
    return ops.mean(ops.cast(hits, "float32"))


def entropy(logits: Any) -> Any:
    """Mean entropy of the predictions, nats, 0 to ln(classes)."""
    from keras import ops

    return -ops.mean(ops.sum(ops.softmax(logits) * ops.log_softmax(logits), axis=1))


def diversity(logits: Any) -> Any:
    """Entropy of the mean prediction, nats, 0 to ln(classes)."""
    from keras import ops

    mean = ops.mean(ops.softmax(logits), axis=0)
    return -ops.sum(mean * ops.log(mean + 1e-8))


def growing(progress: Any) -> Any:
    """Weight of a term: 0 at the start of training, 1 at its end, nearly all of it after a third.

    Args:
        progress: share of the training that is done, 0 to 1; not a number of steps.

    Reference:
        Ganin et al. 2016, Domain-adversarial training of neural networks, section 5.2.2: 2 / (1 + exp(-10 p)) - 1.
    """
    from keras import ops

    return 2.0 / (1.0 + ops.exp(-10.0 * ops.cast(progress, "float32"))) - 1.0


def reversed_gradient(features: Any, strength: Any) -> Any:
    """The features unchanged, but with their gradient reversed and multiplied by ``strength``.

    Reference:
        Ganin & Lempitsky 2015, Unsupervised domain adaptation by backpropagation, eq. 9 and 10.
    """
    from keras import ops

    # Written without a custom gradient, which every backend defines in its own way: x = (1 + s) x - s x.
    return ops.stop_gradient(features * (1.0 + strength)) - features * strength

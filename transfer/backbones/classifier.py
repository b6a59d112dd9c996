"""Finds a network's classifier: the layer whose outputs are class scores instead of features.

Not all networks end in a dense layer: MobileNet and SqueezeNet classify with a 1 x 1 convolution, before or
after averaging, and an activation, a dropout or a reshape may follow.
"""

from __future__ import annotations

from typing import Any

from transfer.backbones.cutting import passages

# These may follow a classifier; none of them has weights.
FOLLOWING = frozenset(
    ("Activation", "Softmax", "LogSoftmax", "Sigmoid", "Dropout", "SpatialDropout2D", "Reshape", "Flatten", "Squeeze")
    + ("Identity", "Cast", "GetItem", "TrueDivide", "Divide", "Mean", "AveragePooling2D", "MaxPooling2D")
    + ("GlobalAveragePooling2D", "GlobalMaxPooling2D")
)
PROBABILITIES = ("softmax", "sigmoid", "log_softmax")
# A layer with one of these outputs features: class scores are linear or probabilities.
_FEATURES = ("relu", "relu6", "elu", "selu", "gelu", "silu", "swish", "leaky_relu", "hard_silu", "mish")


def classifier(operations: list[Any]) -> tuple[str | None, int | None]:
    """The classifier's name and the number of classes; None for a network that outputs features.

    Args:
        operations: those of a flat, freshly built network, bottom to top.
    """
    import keras

    chain = {*passages(operations), len(operations) - 1}
    probable = collapsed = rectified = False
    for at in range(len(operations) - 1, 0, -1):
        operation = operations[at]
        acts = _activation(operation)
        probable = probable or acts in PROBABILITIES
        rectified = rectified or acts in _FEATURES
        if at not in chain:
            return None, None
        if isinstance(operation, keras.layers.Dense):
            found = probable or not rectified
            return (operation.name, _classes(operations)) if found else (None, None)
        if isinstance(operation, keras.layers.Conv2D):
            scores = probable or (collapsed and not rectified)
            found = scores and type(operation) is keras.layers.Conv2D and _sees_one_place(operation)
            return (operation.name, _classes(operations)) if found else (None, None)
        if getattr(operation, "weights", None):
            if not (probable and isinstance(operation, keras.layers.BatchNormalization)):
                return None, None
        elif type(operation).__name__ not in FOLLOWING and acts is None:
            return None, None
        node = operation._inbound_nodes[0]
        collapsed = collapsed or len(node.input_tensors[0].shape) > len(node.output_tensors[0].shape)
    return None, None


def _activation(operation: Any) -> str | None:
    """Keras' name of the activation it applies; None if it applies none."""
    if type(operation).__name__ in ("Softmax", "Sigmoid", "LogSoftmax"):
        return {"LogSoftmax": "log_softmax"}.get(type(operation).__name__, type(operation).__name__.lower())
    name = getattr(getattr(operation, "activation", None), "__name__", None)
    return None if name == "linear" else name


def _sees_one_place(convolution: Any) -> bool:
    """Whether its kernel is 1 x 1, or covers its whole input exactly once."""
    place = convolution._inbound_nodes[0]
    given, made = place.input_tensors[0].shape[1:3], place.output_tensors[0].shape[1:3]
    kernel = tuple(convolution.kernel_size)
    return kernel == (1, 1) or (kernel == tuple(given) and tuple(made) == (1, 1))


def _classes(operations: list[Any]) -> int:
    """The number of classes; a single sigmoid output stands for two."""
    return max(2, int(operations[-1]._inbound_nodes[0].output_tensors[0].shape[-1] or 0))

"""Cuts a network into stages by analysing its graph.

    A network can be cut at a tensor that everything passes through. These places
    are grouped by resolution, and each group is cut once: after its last join of branches
    (residual sum or concatenation) or, if there are no joins, at the last tensor that is not widened.

So stage 2 of a ResNet is its conv2_x, and stage 2 of a VGG its second block. NASNet's cells reach back
two cells, which leaves only a stem and one large stage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# A new group of places begins when the height falls below this fraction of the last group's first height.
# Not 1/2: "valid" convolutions and odd sizes lose a pixel or two without halving the resolution.
STEP_DOWN = 0.6
# If there are no joins, a tensor more than this many times as wide as the narrowest is inside a block.
WIDENED = 3


def _sources(operation: Any) -> list[Any]:
    """The operations whose outputs are inputs of this one, in a freshly built network."""
    # In a freshly built network, each was called once; `operation.input` would be a nested model's inner input.
    return [tensor._keras_history.operation for tensor in operation._inbound_nodes[0].input_tensors]


def passages(operations: list[Any]) -> list[int]:
    """Positions of the operations that everything passes through, bottom to top."""
    position = {id(operation): index for index, operation in enumerate(operations)}
    last_use = list(range(len(operations)))
    for index, operation in enumerate(operations):
        for source in _sources(operation):
            last_use[position[id(source)]] = index
    reach, passages = 0, []
    for index in range(len(operations) - 1):
        if reach <= index:  # nothing from below is used above this point
            passages.append(index)
        reach = max(reach, last_use[index])
    return passages


def learns(operation: Any) -> bool:
    """Whether it has weights of its own; those of a Normalization count as preprocessing, which the lab does."""
    from keras import layers

    return bool(getattr(operation, "weights", None)) and not isinstance(operation, layers.Normalization)


def output_of(operation: Any) -> Any:
    """The output of an operation in a freshly built network."""
    return operation._inbound_nodes[0].output_tensors[0]


def _best(group: list[int], operations: list[Any]) -> int:
    """The place at which a group is cut, by the rule at the top of this file."""
    from keras import layers

    def joins(index: int) -> bool:
        operation = operations[index]
        return len(_sources(operation)) > 1 and not isinstance(operation, layers.Multiply)

    joined = [index for index in group if joins(index)]
    if not joined:
        width = {index: output_of(operations[index]).shape[-1] for index in group}
        return max(index for index in group if width[index] <= WIDENED * min(width.values()))
    best = joined[-1]
    while best + 1 in group and isinstance(operations[best + 1], layers.Activation | layers.ReLU):
        best += 1  # the activation after a sum belongs to the sum's block
    return best


def cuts(operations: list[Any]) -> list[int]:
    """Where to cut: one place per resolution, with weights below and above; the last one stays whole."""
    from keras import layers

    weighted = [index for index, operation in enumerate(operations) if learns(operation)]
    groups: list[list[int]] = []
    height = float("inf")
    for index in passages(operations):
        shape = output_of(operations[index]).shape
        # Everything before the first weights is preprocessing; padding belongs to the convolution above it.
        if index < weighted[0] or len(shape) != 4 or isinstance(operations[index], layers.ZeroPadding2D):
            continue
        if shape[1] <= STEP_DOWN * height:
            groups.append([])
            height = shape[1]
        groups[-1].append(index)
    cuts = [_best(group, operations) for group in groups[:-1]]
    return [index for index in cuts if index < weighted[-1]]


def split(network: keras.Model) -> list[keras.Model]:
    """The stages of a freshly built network, which share its layers; named stage1, stage2, ..."""
    import keras

    operations = list(network.operations)
    tensors = [output_of(operations[index]) for index in cuts(operations)]
    ends = zip([network.inputs[0], *tensors], [*tensors, network.outputs[0]], strict=True)
    return [keras.Model(below, above, name=f"stage{n}") for n, (below, above) in enumerate(ends, 1)]

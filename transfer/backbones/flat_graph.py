"""A network as one flat graph of TensorFlow operations with its weights as constants: read, cut and run.

Such a graph contains no variables, functions or files, so running it can only compute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from transfer.backbones import allowed_ops
from transfer.backbones.pixels import Range

PASSED_THROUGH = ("Identity", "StopGradient", "PreventGradient")


def flattened(serving: Any) -> tuple[Any, str, str]:
    """The graph of a loaded function with its calls inlined, and the names of its input and output.

    Args:
        serving: a ``ConcreteFunction`` with one input and one output, whose variables no longer change.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    frozen = convert_variables_to_constants_v2(serving)
    entry, output = frozen.inputs[0].op.name, frozen.outputs[0].op.name
    graph = _plain(frozen.graph.as_graph_def(add_shapes=False))
    return _named_shortly(_needed(graph, entry, output), entry, output)


def _plain(graph: Any) -> Any:
    """The graph without marks for devices and gradients, which do not affect the computation."""
    for node in graph.node:
        node.device = ""
        for name in [name for name in node.attr if name.startswith("_")]:
            del node.attr[name]
    return graph


def _needed(graph: Any, entry: str, output: str) -> tuple[Any, str]:
    """The nodes that the output depends on, without identities; and the output's new name."""
    from tensorflow.core.framework import graph_pb2

    nodes = {node.name: node for node in graph.node}

    def source(name: str) -> str:
        while (node := nodes[_node(name)]).op in PASSED_THROUGH:
            name = node.input[0]
        return name

    kept: dict[str, Any] = {}
    waiting = [_node(source(output))]
    while waiting:
        name = waiting.pop()
        if name in kept:
            continue
        kept[name] = node = nodes[name]
        node.input[:] = [source(one) for one in node.input if not one.startswith("^")]
        waiting += [_node(one) for one in node.input]
    kept.setdefault(entry, nodes[entry])
    found = graph_pb2.GraphDef(node=[node for node in graph.node if node.name in kept], versions=graph.versions)
    return found, _node(source(output))


def _named_shortly(found: tuple[Any, str], entry: str, output: str) -> tuple[Any, str, str]:
    """The graph without the names of the inlined calls."""
    graph, output = found
    short: dict[str, str] = {}
    for node in graph.node:
        parts = [part for part in node.name.split("/") if part not in ("StatefulPartitionedCall", "PartitionedCall")]
        name = "/".join(parts) or node.name
        short[node.name] = name if name not in short.values() else node.name
    if len(set(short.values())) < len(short):
        return graph, entry, output
    for node in graph.node:
        node.name = short[node.name]
        node.input[:] = [one.replace(_node(one), short[_node(one)], 1) for one in node.input]
    return graph, short[entry], short[output]


def _node(name: str) -> str:
    """The node that an input refers to: ``split:1`` is the second output of ``split``."""
    return name.lstrip("^").partition(":")[0]


def flowing(graph: Any, entry: str, output: str) -> list[str]:
    """The nodes between input and output that depend on the input, in topological order, without the input."""
    nodes = {node.name: node for node in graph.node}
    order: dict[str, bool] = {}
    waiting = [(output, False)]
    while waiting:
        name, seen = waiting.pop()
        if name in order:
            continue
        sources = [_node(one) for one in nodes[name].input]
        if seen or name == entry:
            order[name] = name == entry or any(order[one] for one in sources)
        else:
            waiting += [(name, True), *((one, False) for one in reversed(sources))]
    return [name for name, depends in order.items() if depends and name != entry]


def passages(graph: Any, order: list[str]) -> list[int]:
    """Positions in ``order`` of the nodes that everything passes through, bottom to top, including the last node."""
    nodes = {node.name: node for node in graph.node}
    position = {name: at for at, name in enumerate(order)}
    lowest, found = len(order), [len(order) - 1]
    for at in range(len(order) - 1, 0, -1):
        sources = [_node(one) for one in nodes[order[at]].input]
        flowing_ = [position.get(one, -1) for one in sources if one in position or nodes[one].op == "Placeholder"]
        lowest = min([lowest, *flowing_])
        if lowest >= at - 1 and all(":" not in one for one in nodes[order[at]].input if _node(one) == order[at - 1]):
            found.append(at - 1)
    return found[::-1]


def weights_by_user(graph: Any, order: list[str], weights: set[str]) -> dict[str, list[str]]:
    """The weights that each node of ``order`` is the first to use, directly or through derived constants."""
    nodes = {node.name: node for node in graph.node}
    seen = set(order)
    found: dict[str, list[str]] = {}
    for user in order:
        found[user] = []
        waiting = [_node(one) for one in nodes[user].input]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in weights:
                found[user].append(name)
            waiting += [_node(one) for one in nodes[name].input]
    return found


def part(graph: Any, entry: str, output: str) -> Any:
    """The graph between two nodes; the lower one becomes the input, a placeholder with its name."""
    from tensorflow.core.framework import graph_pb2, types_pb2

    nodes = {node.name: node for node in graph.node}
    given = graph_pb2.GraphDef().node.add(name=entry, op="Placeholder")
    given.attr["dtype"].type = types_pb2.DT_FLOAT
    kept = {entry: given}
    waiting = [output]
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = nodes[name]
            waiting += [_node(one) for one in nodes[name].input]
    return graph_pb2.GraphDef(node=kept.values(), versions=graph.versions)


@functools.lru_cache(maxsize=2)
def read(file: Path) -> Any:
    """The graph in the file, checked again because anybody may have written it.

    Raises:
        RequestError: it does more than compute.
    """
    from tensorflow.core.framework import graph_pb2

    graph = graph_pb2.GraphDef()
    graph.ParseFromString(file.read_bytes())
    allowed_ops.check_operations(graph.node, {*allowed_ops.MATHEMATICS, "Placeholder"}, file.name)
    return graph


def runner(graph: Any, entry: str, output: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function from pictures, shape (n, height, width, channels), to a node's output."""
    import tensorflow as tf

    def run(pictures: np.ndarray) -> np.ndarray:
        given = tf.TensorSpec((None, *pictures.shape[1:]), tf.float32)
        kept = part(graph, entry, output)
        return np.asarray(_wrapped(kept, entry, output, given)(tf.constant(pictures)))

    return run


def _wrapped(graph: Any, entry: str, output: str, given: Any) -> Any:
    """The graph as a function from its input to its output."""
    import tensorflow as tf

    def run(pixels: Any) -> Any:
        return tf.graph_util.import_graph_def(graph, {f"{entry}:0": pixels}, [f"{output}:0"], name="")[0]

    return tf.compat.v1.wrap_function(run, [given])


@functools.cache
def layer_class() -> Any:
    """The Keras layer that runs part of a flat graph; created on request, so that the pages need no Keras."""
    import keras
    import tensorflow as tf

    class FlatGraph(keras.layers.Layer):
        """Part of a flat graph in float32, whatever the precision; its weights are ``constants`` and never trained."""

        def __init__(self, file: Path, entry: str, output: str, fed: Range, constants: int, name: str) -> None:
            super().__init__(name=name, dtype="float32", trainable=False)
            self.constants = constants
            self.file, self.entry, self.output_node = file, entry, output
            self.fed = fed

        def build(self, shape: Any) -> None:
            """Turns the part into a function for inputs of this shape."""
            kept = part(read(self.file), self.entry, self.output_node)
            self.run = _wrapped(kept, self.entry, self.output_node, tf.TensorSpec((None, *shape[1:]), tf.float32))

        def call(self, inputs: Any) -> Any:
            """Scales inputs to the graph's own range and runs them through the graph."""
            turned = inputs[..., ::-1] if self.fed.blue_first else inputs
            return self.run(turned * self.fed.scale + self.fed.offset)

    return FlatGraph

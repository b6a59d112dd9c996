"""Inspects a SavedModel; `transfer.backbones.saved_model` calls it in a separate process.

First its protocol buffer is read and checked, operation by operation. Only then does TensorFlow load it, and only in
this process, which returns only a description and one flat graph of mathematics with the weights as constants.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

from transfer import whole_file
from transfer.backbones import allowed_ops, flat_graph, pixels
from transfer.errors import RequestError

PROGRAM = "saved_model.pb"
SIGNATURES = ("serving_default", "serve")
EXPORT = "Export it with one picture in and one output: model.export('folder')."
KERNELS = ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul", "BatchMatMulV2", "Einsum")
PRODUCTS = ("MatMul", "BatchMatMulV2")
PROBABILITIES = ("Softmax", "Sigmoid", "LogSoftmax")
# These may follow the product that computes the class scores.
ADDING = ("BiasAdd", "Add", "AddV2", "RealDiv")
FOLLOWING = (*PROBABILITIES, *ADDING, "Reshape", "Squeeze", "Mean", "Cast")
USUAL_SIZE = 32
RESCALES = ("Mul", "RealDiv", "Sub", "Add", "AddV2")
# A protocol buffer can hold 2 GiB at most.
MOST_BYTES = 2 * 10**9


def inspect(question: str) -> dict[str, Any]:
    """The description of the network in the folder; also writes its flat graph.

    Args:
        question: JSON with the folder and the file for the flat graph.

    Returns:
        As `transfer.backbones.inspect_file.describe`, with one layer per operation, and ``output``, where it ends.

    Raises:
        RequestError: it is refused; says why.
    """
    folder, file = map(Path, json.loads(question))
    program = checked(folder)
    with tempfile.TemporaryDirectory() as copy:
        # Loads exactly what was checked, not what may have replaced it meanwhile.
        (Path(copy) / PROGRAM).write_bytes(_bare(program).SerializeToString())
        (Path(copy) / "variables").symlink_to(folder.resolve() / "variables")
        serving, weights = _serving(Path(copy), folder.name)
    graph, entry, output = flat_graph.flattened(serving)
    allowed_ops.check_operations(graph.node, {*allowed_ops.MATHEMATICS, "Placeholder"}, folder.name)
    known = _described(graph, entry, output, weights, folder.name)
    whole_file.write(file, graph.SerializeToString(deterministic=True))
    return known


def checked(folder: Path) -> Any:
    """The program, read without loading it; refuses anything that is not just a network."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    read = saved_model_pb2.SavedModel()
    try:
        read.ParseFromString((folder / PROGRAM).read_bytes())
    except DecodeError as problem:
        raise _damaged(folder.name, problem) from None
    if len(read.meta_graphs) != 1 or not read.meta_graphs[0].object_graph_def.nodes:
        raise RequestError(
            "This is not a SavedModel of TensorFlow 2.", f"{folder.name}, {len(read.meta_graphs)} graphs",
            "Load it where it was made and export it again: model.export('folder').",
        )  # fmt: skip
    size = sum(one.stat().st_size for one in (folder / "variables").glob("variables.*"))
    if size > MOST_BYTES:
        raise RequestError("The SavedModel is too large.", f"{folder.name}, {size / 1e9:.1f} GB", "At most 2 GB.")
    allowed_ops.check_program(read.meta_graphs[0], folder.name)
    return read


def _bare(program: Any) -> Any:
    """Removes functions that are not served, such as those that save, and compilation hints."""
    meta_graph = program.meta_graphs[0]
    library, served = meta_graph.graph_def.library, allowed_ops.served_functions(meta_graph)
    kept = [function for function in library.function if function.signature.name in served]
    for function in kept:
        for part in (function, *function.node_def):
            for name in [name for name in part.attr if name.startswith(("_Xla", "_noinline", "_gradient"))]:
                del part.attr[name]
    # Custom gradients would be functions too; a frozen network needs none.
    library.CopyFrom(type(library)(function=kept))
    return program


def _serving(folder: Path, named: str) -> tuple[Any, set[str]]:
    """The serving function, and the names of the variables in its graph."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as problem:  # noqa: BLE001  # TensorFlow raises of every kind; each is the folder's fault
        raise _damaged(named, problem) from None
    found = next((loaded.signatures[name] for name in SIGNATURES if name in loaded.signatures), None)
    if found is None:
        raise RequestError("The SavedModel has no serving signature.", named, EXPORT)
    given, made = list(found.structured_input_signature[1].values()), list(found.structured_outputs.values())
    if not _reads_pictures(given, made):
        shapes = ", ".join(f"{one.dtype.name} {one.shape}" for one in (*given, "->", *made) if one != "->")
        raise RequestError(
            "The SavedModel does not read pictures.", f"{named}, inputs and outputs {shapes}",
            "It needs one float32 input of shape (any number, height, width, channels), with 1 or 3 channels, "
            "and one float32 output of shape (any number, features) or a map of them.",
        )  # fmt: skip
    resources = {inner.op.name for outer, inner in found.graph.captures if outer.dtype == tf.resource}
    found.keep = loaded  # its variables live only as long as the loaded object
    return found, resources


def _reads_pictures(given: list[Any], made: list[Any]) -> bool:
    """Whether it takes any number of pictures, grey or in colour, and returns features of each."""
    if len(given) != 1 or len(made) != 1 or {given[0].dtype.name, made[0].dtype.name} != {"float32"}:
        return False
    shape, out = given[0].shape, made[0].shape
    if shape.rank != 4 or out.rank not in (2, 3, 4) or shape[0] is not None:
        return False
    return shape[-1] in (1, 3) and (shape[1] is None) == (shape[2] is None) and out[-1] is not None


def _described(graph: Any, entry: str, output: str, weights: set[str], named: str) -> dict[str, Any]:
    """The operations that pictures pass through, bottom to top, and where the graph can be cut."""
    import tensorflow as tf

    # Reading a missing attribute would add it.
    if any("data_format" in node.attr and node.attr["data_format"].s == b"NCHW" for node in graph.node):
        raise RequestError("The SavedModel expects channels first.", named, "Export it with channels last.")
    with tf.Graph().as_default() as shaped:
        tf.graph_util.import_graph_def(graph, name="")
    outputs = {one.name: one.outputs[0] for one in shaped.get_operations()}
    order = flat_graph.flowing(graph, entry, output)
    held = flat_graph.weights_by_user(graph, order, weights)
    sizes = {name: sum(math.prod(outputs[one].shape) for one in several) for name, several in held.items()}
    kinds = {node.name: node.op for node in graph.node}
    first = next((at for at, name in enumerate(order) if kinds[name] in KERNELS and sizes[name]), None)
    if first is None:
        raise RequestError("The network has no weights.", named, "Give one with trained weights.")
    places = [at for at in flat_graph.passages(graph, order) if at >= first]
    scopes = [order[at].rpartition("/")[0] for at in places]
    ends = {
        at for at, here, above in zip(places, scopes, [*scopes[1:], None], strict=True) if not here or here != above
    }
    layers = [
        {
            "name": name,
            "kind": kinds[name],
            "shape": _dimensions(outputs[name]),
            "weights": sizes[name],
            "cut": at == len(order) - 1 or (at in ends and _is_features(outputs[name])),
        }
        for at, name in enumerate(order)
    ]
    height, width, channels = outputs[entry].shape[1:]
    scores = _classifier(graph, order, outputs)
    before = [order[at] for at in flat_graph.passages(graph, order) if at < first]
    steps = [flat_graph.runner(graph, entry, name) for name in [*before[-1:], *before]]
    told = pixels.told_by(steps, height or USUAL_SIZE, width or USUAL_SIZE, channels)
    return {
        "title": named,
        "size": max(height, width) if height else None,
        "input": [height, width],
        "channels": channels,
        "pixels": told,
        "told": "preprocessing" if told else "",
        "classifier": scores,
        "classes": max(2, outputs[output].shape[-1]) if scores else None,
        "layers": layers,
        "entry": entry,
        "before": {
            "rescales": any(kinds[name] in RESCALES for name in order[:first]),
            "classifier": _softmax_classifier(order, kinds),
        },
    }


def _dimensions(tensor: Any) -> list[int | None]:
    return tensor.shape.as_list()[1:] if tensor.shape.rank else []


def _is_features(tensor: Any) -> bool:
    shape = tensor.shape
    return tensor.dtype.name == "float32" and shape.rank in (2, 3, 4) and shape[-1] is not None


def _classifier(graph: Any, order: list[str], outputs: dict[str, Any]) -> str | None:
    """The product or 1 x 1 convolution that computes the class scores, if the network ends with one."""
    nodes, flowing = {node.name: node for node in graph.node}, set(order)
    probable = collapsed = False
    name = order[-1]
    while name in flowing:
        node = nodes[name]
        sources = [one.partition(":")[0] for one in node.input]
        probable = probable or node.op in PROBABILITIES
        if node.op in PRODUCTS:
            return name
        if node.op == "Conv2D":
            one_place = tuple(outputs[sources[1]].shape[:2]) == (1, 1)
            return name if one_place and (probable or collapsed) else None
        joins = node.op in ADDING and not flowing.isdisjoint(sources[1:])
        if joins or node.op not in (FOLLOWING if not probable else (*FOLLOWING, "Relu")):
            return None
        collapsed = collapsed or (outputs[sources[0]].shape.rank or 0) > (outputs[name].shape.rank or 0)
        name = sources[0]
    return None


def _softmax_classifier(order: list[str], kinds: dict[str, str]) -> str | None:
    """The classifier by the rules of older versions of the lab: only the product below a softmax."""
    if kinds[order[-1]] != "Softmax":
        return None
    return next((name for name in reversed(order) if kinds[name] in KERNELS), None)


def _damaged(named: str, problem: Exception) -> RequestError:
    said = (str(problem).strip().splitlines() or ["no reason given"])[0][:200]
    return RequestError("This is not a SavedModel, or it is damaged.", f"{named}: {said}", EXPORT)

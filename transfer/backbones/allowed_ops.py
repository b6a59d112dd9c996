"""What a SavedModel may consist of: it is a program, and this says which programs are mathematics and no more.

Read from its protocol buffer, before TensorFlow is asked to load anything. What is not listed is refused, whatever it
may be; so an operation of a later TensorFlow is refused until somebody has looked at it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from transfer.errors import RequestError

# Answers follow from what is given to them, and nothing else happens.
_MATHEMATICS = """
    Abs Add AddN AddV2 All Any ArgMax ArgMin AvgPool BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpaceND BiasAdd
    BroadcastArgs BroadcastTo Cast Ceil ClipByValue Concat ConcatV2 Const Conv2D Conv2DBackpropInput Cos Cumsum
    DepthToSpace DepthwiseConv2dNative Einsum Elu Equal Erf Erfc Exp ExpandDims Expm1 Fill Floor FloorDiv FloorMod
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual Identity IdentityN
    Inv L2Loss LRN LeakyRelu Less LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max MaxPool
    MaxPoolV2 Maximum Mean Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot Pack Pad PadV2 Pow PreventGradient Prod
    Range Rank RealDiv Reciprocal Relu Relu6 Reshape ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor
    ReverseV2 Round Rsqrt Select SelectV2 Selu Shape ShapeN Sigmoid Sign Sin Size Slice Softmax Softplus Softsign
    SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum
    Tanh Tile TopKV2 Transpose Unpack Where Xdivy ZerosLike OnesLike
"""
MATHEMATICS = frozenset(_MATHEMATICS.split())
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
# Touch the network's own variables, or draw numbers; a training function beside the one that serves may hold them.
_OWN_STATE = """
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead Placeholder RandomStandardNormal
    RandomUniform ReadVariableOp StatelessRandomGetKeyCounter StatelessRandomUniformV2 VarHandleOp VarIsInitializedOp
"""
OWN_STATE = CALLS | frozenset(_OWN_STATE.split())
# Write and read files. TensorFlow puts them into each SavedModel, into functions that this project never calls.
SAVING = frozenset(
    {"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch", "StringJoin"}
)
# Functions may call one another, and so make millions of operations out of a few lines.
MOST_OPERATIONS = 200_000
# Kinds of object that hold no file and run nothing by being loaded.
OBJECTS = frozenset({"user_object", "function", "bare_concrete_function", "variable", "constant", "captured_tensor"})


def check_program(meta_graph: Any, named: str) -> None:
    """Refuses a SavedModel that is anything but mathematics on its own variables.

    Args:
        meta_graph: its one ``MetaGraphDef``.
        named: how it is called in messages.

    Raises:
        RequestError: it has an operation that is not listed, a file beside its weights, an object that does something
            when it is loaded, or is too large or endless.
    """
    objects = meta_graph.object_graph_def
    kinds = {node.WhichOneof("kind") for node in objects.nodes} - {None}
    if meta_graph.asset_file_def or "asset" in kinds:
        raise _refused("The SavedModel brings files of its own along (assets).", named)
    if strange := sorted(kinds - OBJECTS):
        raise _refused("The SavedModel holds objects that do something when they are loaded.", f"{named}: {strange[0]}")
    library = _library(meta_graph)
    served = served_functions(meta_graph)
    usual = MATHEMATICS | OWN_STATE | library.keys()
    for name, nodes in (("", meta_graph.graph_def.node), *library.items()):
        check_operations(nodes, usual if name in served else usual | SAVING, named)
    _check_size(served, library, named)


def served_functions(meta_graph: Any) -> set[str]:
    """The functions that a loaded object can call, directly or by one another; those that save are not among them."""
    nodes = meta_graph.object_graph_def.nodes
    named = [node.bare_concrete_function.concrete_function_name for node in nodes]
    named += [name for node in nodes for name in node.function.concrete_functions]
    return _reached([*meta_graph.object_graph_def.concrete_functions, *named], _library(meta_graph))


def _library(meta_graph: Any) -> dict[str, Any]:
    """The operations of each function, by its name."""
    return {function.signature.name: function.node_def for function in meta_graph.graph_def.library.function}


def check_operations(nodes: Iterable[Any], allowed: Iterable[str], named: str) -> None:
    """Refuses the first operation that is not allowed."""
    for node in nodes:
        if node.op not in allowed:
            raise _refused("The SavedModel does more than mathematics on pictures.", f"{named}: {node.op}")


def _refused(wrong: str, received: str) -> RequestError:
    return RequestError(
        f"{wrong} It would have to be trusted: it is not loaded.", received,
        "Export the network alone, without reading, decoding, checking or printing: model.export('folder').",
    )  # fmt: skip


def _called(nodes: Iterable[Any], library: Any) -> Iterator[str]:
    """Functions that these nodes call or hold, each time they do."""
    for node in nodes:
        held = [value for attr in node.attr.values() for value in (attr.func, *attr.list.func)]
        yield from (name for name in (node.op, *(one.name for one in held)) if name in library)


def _reached(first: Iterable[str], library: Any) -> set[str]:
    """The functions that can be called, directly or by one another."""
    found: set[str] = set()
    waiting = [name for name in first if name in library]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _called(library[name], library)
    return found


def _check_size(names: Iterable[str], library: Any, named: str) -> None:
    """Refuses functions that call themselves, or unfold into too many operations."""
    open_: list[str] = []

    @functools.cache
    def unfolded(name: str) -> int:
        if name in open_ or len(open_) > 100:
            raise _refused("The SavedModel's functions call one another without end.", named)
        open_.append(name)
        size = len(library[name]) + sum(unfolded(inner) for inner in _called(library[name], library))
        open_.pop()
        return size

    if max(map(unfolded, sorted(names)), default=0) > MOST_OPERATIONS:
        raise _refused(f"The SavedModel unfolds into more than {MOST_OPERATIONS:,} operations.", named)

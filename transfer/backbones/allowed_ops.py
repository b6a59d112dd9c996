"""What a SavedModel may contain. It is a program; this module accepts only programs that do pure mathematics.

It is checked through its protocol buffer, before TensorFlow loads anything. Every operation that is not listed is
refused, so operations of a later TensorFlow are refused until somebody has reviewed them.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from transfer.errors import RequestError

# The outputs depend only on the inputs, and there are no side effects.
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
# These use the network's own variables, or random numbers; a training function beside the serving one may have them.
_OWN_STATE = """
    AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead Placeholder RandomStandardNormal
    RandomUniform ReadVariableOp StatelessRandomGetKeyCounter StatelessRandomUniformV2 VarHandleOp VarIsInitializedOp
"""
OWN_STATE = CALLS | frozenset(_OWN_STATE.split())
# These read and write files. TensorFlow puts them into every SavedModel, in functions that this project never calls.
SAVING = frozenset(
    {"MergeV2Checkpoints", "RestoreV2", "SaveV2", "ShardedFilename", "StaticRegexFullMatch", "StringJoin"}
)
# Functions may call one another, and so unfold a few lines into millions of operations.
MOST_OPERATIONS = 200_000
# Kinds of object that contain no file and run nothing on being loaded.
OBJECTS = frozenset({"user_object", "function", "bare_concrete_function", "variable", "constant", "captured_tensor"})


def check_program(meta_graph: Any, named: str) -> None:
    """Refuses a SavedModel that does anything but mathematics on its own variables.

    Args:
        meta_graph: its one ``MetaGraphDef``.
        named: its name in messages.

    Raises:
        RequestError: it has an unlisted operation, a file beside its weights, or an object that does something
            on being loaded, or it is too large or endless.
    """
    objects = meta_graph.object_graph_def
    kinds = {node.WhichOneof("kind") for node in objects.nodes} - {None}
    if meta_graph.asset_file_def or "asset" in kinds:
        raise _refused("The SavedModel comes with files of its own (assets).", named)
    if strange := sorted(kinds - OBJECTS):
        raise _refused("The SavedModel contains objects that do something on being loaded.", f"{named}: {strange[0]}")
    library = _library(meta_graph)
    served = served_functions(meta_graph)
    usual = MATHEMATICS | OWN_STATE | library.keys()
    for name, nodes in (("", meta_graph.graph_def.node), *library.items()):
        check_operations(nodes, usual if name in served else usual | SAVING, named)
    _check_size(served, library, named)


def served_functions(meta_graph: Any) -> set[str]:
    """The functions that a loaded object can call, directly or indirectly, except those that save."""
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
        f"{wrong} It would have to be trusted, so it is not loaded.", received,
        "Export the network alone, without reading, decoding, checking or printing: model.export('folder').",
    )  # fmt: skip


def _called(nodes: Iterable[Any], library: Any) -> Iterator[str]:
    """The functions that these nodes call or contain, repeated for each occurrence."""
    for node in nodes:
        held = [value for attr in node.attr.values() for value in (attr.func, *attr.list.func)]
        yield from (name for name in (node.op, *(one.name for one in held)) if name in library)


def _reached(first: Iterable[str], library: Any) -> set[str]:
    """The functions that can be called, directly or indirectly."""
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

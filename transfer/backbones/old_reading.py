"""How older versions of the lab read a file, so that their runs are reopened as they were made.

They kept nested networks whole, inferred the pixel range from names of operations, and never took a convolution for a
classifier. New files are not read like this.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer.backbones.cutting import learns
from transfer.backbones.inspect_file import describe, reads_pictures
from transfer.backbones.open_file import loaded_from
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

_RESCALE = ("Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract")


def inspect(file: str) -> dict[str, Any]:
    """The description of the network in the file, by the old rules.

    Raises:
        RequestError: it could not be read then, or its Normalization lost its values, so that its runs are wrong.
    """
    path = Path(file)
    network = opened(path)
    operations = list(network.operations)
    rescales = any(type(one).__name__ in _RESCALE for one in _before_weights(operations))
    return describe(network, path.name) | {"classifier": _classifier(operations), "rescales": rescales}


def opened(path: Path) -> keras.Model:
    """The network in the file, with nested networks kept whole."""
    import keras

    loaded, _ = loaded_from(path)
    if not hasattr(loaded, "operations") or not reads_pictures(loaded):
        raise RequestError(
            "This run was made with a different network than the file contains now.", path.name, "Run it again."
        )
    layers = loaded._flatten_layers(include_self=False)
    if any(isinstance(one, keras.layers.Normalization) and one.input_mean is None for one in layers):
        raise RequestError(
            "This run was made by a version of the lab that lost the mean and variance of the network's Normalization: "
            "its scores are wrong.",
            path.name,
            "Run it again.",
        )
    return keras.Model(loaded.inputs, loaded.outputs, name=loaded.name)


def _before_weights(operations: list[Any]) -> Iterator[Any]:
    """Everything before the first layer with weights, also inside nested networks."""
    for operation in operations:
        if inner := getattr(operation, "operations", getattr(operation, "layers", None)):
            yield from _before_weights(list(inner))
        else:
            yield operation
        if learns(operation):
            return


def _classifier(operations: list[Any]) -> str | None:
    """The dense layer that outputs the classes, if the network ends with one and perhaps an activation."""
    import keras

    for operation in reversed(operations):
        if isinstance(operation, keras.layers.Dense):
            return str(operation.name)
        if not isinstance(operation, keras.layers.Activation | keras.layers.Softmax):
            return None
    return None

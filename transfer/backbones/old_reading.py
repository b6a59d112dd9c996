"""How versions of the lab before this one read a file: the runs they made are opened again as they were made.

They left nested networks whole, judged the range of pixels by names of operations, and took no convolution for a
classifier. Nothing new is read like that.
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
    """The description of the network in the file, by the rules of then.

    Raises:
        RequestError: it was not read then, or it lost what its Normalization had learned, so that its runs are wrong.
    """
    path = Path(file)
    network = opened(path)
    operations = list(network.operations)
    rescales = any(type(one).__name__ in _RESCALE for one in _before_weights(operations))
    return describe(network, path.name) | {"classifier": _classifier(operations), "rescales": rescales}


def opened(path: Path) -> keras.Model:
    """The network in the file, nested networks whole."""
    import keras

    loaded, _ = loaded_from(path)
    if not hasattr(loaded, "operations") or not reads_pictures(loaded):
        raise RequestError(
            "This run was made with another network than the file holds now.", path.name, "Run it again."
        )
    layers = loaded._flatten_layers(include_self=False)
    if any(isinstance(one, keras.layers.Normalization) and one.input_mean is None for one in layers):
        raise RequestError(
            "This run was made by a version of the lab that lost the mean and variance of the network's Normalization: "
            "its scores are not those of the network.",
            path.name,
            "Run it again.",
        )
    return keras.Model(loaded.inputs, loaded.outputs, name=loaded.name)


def _before_weights(operations: list[Any]) -> Iterator[Any]:
    """What comes before the first layer that learns, inside of nested networks, too."""
    for operation in operations:
        if inner := getattr(operation, "operations", getattr(operation, "layers", None)):
            yield from _before_weights(list(inner))
        else:
            yield operation
        if learns(operation):
            return


def _classifier(operations: list[Any]) -> str | None:
    """The dense layer that gives the classes, when the network ends with one and perhaps an activation."""
    import keras

    for operation in reversed(operations):
        if isinstance(operation, keras.layers.Dense):
            return str(operation.name)
        if not isinstance(operation, keras.layers.Activation | keras.layers.Softmax):
            return None
    return None

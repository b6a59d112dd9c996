"""Looks into a network that somebody gives; `transfer.backbones.saved` asks for it in a process of its own.

Whatever is in the file, it is read with Keras' safe mode on, and by a process that has nothing to lose.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer.backbones.cutting import learns, output_of, passages
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

ENDINGS = (".keras", ".h5", ".hdf5")
SAVE = "Build it with Keras' functional API from Keras' own layers, and save it with model.save('name.keras')."


def inspect(file: str) -> dict[str, Any]:
    """What a person has to know of the network in the file, see `describe`.

    Raises:
        RequestError: the file is no such network; says why.
    """
    path = Path(file)
    return describe(opened(path), path.name)


def describe(network: keras.Model, named: str) -> dict[str, Any]:
    """What a person has to know of a network.

    Args:
        network: a functional one that reads pictures.
        named: how it is called in messages.

    Returns:
        ``title``; ``size`` (pixels, None for any); ``channels``; ``rescales``, whether it brings pixels of 0 to 255
        into its own range; ``classifier``, the layer that ends it and is no feature, or None; ``layers``: name, kind,
        output shape, weights and whether the network can be cut there, bottom to top.

    Raises:
        RequestError: it has not learned anything.
    """
    operations = list(network.operations)
    places = {*passages(operations), len(operations) - 1}
    weighted = [index for index, operation in enumerate(operations) if learns(operation)]
    if not weighted:
        raise RequestError("The network has no weights.", named, "Give one that has learned something.")
    height, width, channels = network.inputs[0].shape[1:]
    layers = []
    for index, operation in enumerate(operations):
        shape = list(output_of(operation).shape[1:])
        layers.append(
            {
                "name": operation.name,
                "kind": type(operation).__name__,
                "shape": shape,
                "weights": sum(math.prod(weight.shape) for weight in getattr(operation, "weights", [])),
                "cut": index in places
                and index >= weighted[0]
                and len(shape) in (1, 2, 3)
                and type(operation).__name__ != "Cast",
            }
        )
    return {
        "title": network.name,
        "size": height,
        "channels": channels,
        "rescales": any(map(_rescales, _before_weights(operations))),
        "classifier": _classifier(operations),
        "layers": layers,
    }


def opened(path: Path) -> keras.Model:
    """The network in the file as a functional model, read without running anything of it.

    Raises:
        RequestError: it cannot be read, would have to be trusted, or reads no pictures.
    """
    import keras

    if path.suffix.lower() not in ENDINGS:
        raise RequestError(
            "This is no file of a Keras network.", path.name, "Give a .keras file, or an older .h5 of a whole network."
        )
    try:
        loaded = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as problem:  # noqa: BLE001  # Keras and h5py raise of every kind; each is the file's fault
        raise _refused(path, problem) from None
    if any(type(layer) is keras.layers.Lambda for layer in getattr(loaded, "_flatten_layers", list)()):
        raise _trusted(path)
    if not isinstance(loaded, keras.Model) or not getattr(loaded, "inputs", None) or not hasattr(loaded, "operations"):
        raise RequestError("The network's layers cannot be seen.", f"{path.name}, {type(loaded).__name__}", SAVE)
    if not reads_pictures(loaded):
        shapes = ", ".join(str(tuple(one.shape)) for one in loaded.inputs)
        raise RequestError(
            "The network does not read pictures.",
            f"{path.name}, inputs {shapes}",
            "It needs one input of shape (height, width, channels), square, with 1 or 3 channels, and one output.",
        )
    return keras.Model(loaded.inputs, loaded.outputs, name=loaded.name)


def reads_pictures(network: keras.Model) -> bool:
    """Whether its one input is a square picture, grey or in colour, and its output one."""
    shape = tuple(network.inputs[0].shape)
    one = len(network.inputs) == 1 == len(network.outputs) and len(shape) == 4
    return one and shape[-1] in (1, 3) and shape[1] == shape[2]


def _refused(path: Path, problem: Exception) -> RequestError:
    said = str(problem)
    if "Lambda" in said or "safe_mode" in said or "unsafe" in said.lower():
        return _trusted(path)
    if "Could not locate" in said or "Unknown layer" in said or "custom" in said:
        return RequestError(
            "The network has layers that are not Keras' own.", f"{path.name}: {_first_line(said)}", SAVE
        )
    whole = path.suffix == ".keras" and zipfile.is_zipfile(path)
    why = "It may hold weights only." if path.suffix != ".keras" or whole else "It is damaged or no .keras file."
    remedy = f"{SAVE} Weights alone: weights:<path>@<backbone>, weights:{path.name}@mobilenet_v2 say."
    return RequestError(f"The file cannot be read as a network. {why}", f"{path.name}: {_first_line(said)}", remedy)


def _trusted(path: Path) -> RequestError:
    return RequestError(
        "The file holds program code (a Lambda layer, say), which would have to be trusted: it is not opened.",
        path.name,
        SAVE,
    )


def _first_line(said: str) -> str:
    return said.strip().splitlines()[0][:200] if said.strip() else "no reason given"


def _before_weights(operations: list[Any]) -> Iterator[Any]:
    """What comes before the first layer that learns, inside of nested networks, too."""
    for operation in operations:
        if inner := getattr(operation, "operations", getattr(operation, "layers", None)):
            yield from _before_weights(list(inner))
        else:
            yield operation
        if learns(operation):
            return


def _rescales(operation: Any) -> bool:
    """Whether it changes the range of the pixels."""
    return type(operation).__name__ in ("Rescaling", "Normalization", "TrueDivide", "Divide", "Multiply", "Subtract")


def _classifier(operations: list[Any]) -> str | None:
    """The dense layer that gives the classes, when the network ends with one and perhaps an activation."""
    import keras

    for operation in reversed(operations):
        if isinstance(operation, keras.layers.Dense):
            return str(operation.name)
        if not isinstance(operation, keras.layers.Activation | keras.layers.Softmax):
            return None
    return None

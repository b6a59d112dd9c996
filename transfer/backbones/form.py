"""Recognises a file by its content, never by its name.

A network saved by Keras is a ZIP (``.keras``) or HDF5 (``.h5``) file. Other files may look like one: weights only,
another framework's network, a web page saved in place of the file. Each is recognised here
without TensorFlow and without running any of it, so that a refusal gives the true reason.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from transfer.errors import RequestError

KERAS, H5 = "keras", "h5"
SAVE = "Save the whole network where it was made: model.save('name.keras')."
CONFIG, ABOUT = "config.json", "metadata.json"
_HEAD = 512


def form(path: Path) -> str:
    """`KERAS` or `H5`, for a file with a complete network.

    Raises:
        RequestError: it contains something else; says what.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        _check_zip(path)
        return KERAS
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        _check_h5(path)
        return H5
    raise _other(path, head)


def config_of(path: Path, kind: str) -> dict[str, Any]:
    """What the file says about the network's layers.

    Raises:
        RequestError: the description is not readable.
    """
    import h5py

    try:
        if kind == KERAS:
            with zipfile.ZipFile(path) as file:
                read = json.loads(file.read(CONFIG))
        else:
            with h5py.File(path, "r") as file:
                read = json.loads(file.attrs["model_config"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
        raise damaged(path, f"its description cannot be read ({str(problem)[:100]})") from None
    if not isinstance(read, dict) or not isinstance(read.get("config"), dict | list) or "class_name" not in read:
        raise RequestError("The file does not describe a Keras network.", path.name, SAVE)
    return read


def saved_by(path: Path, kind: str) -> str:
    """The version of Keras that saved it; empty if the file does not say."""
    import h5py

    try:
        if kind == KERAS:
            with zipfile.ZipFile(path) as file:
                return str(json.loads(file.read(ABOUT))["keras_version"])
        with h5py.File(path, "r") as file:
            return str(file.attrs["keras_version"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def torn(path: Path) -> str:
    """The first member of a ZIP whose checksum is wrong; empty if all are intact."""
    try:
        with zipfile.ZipFile(path) as file:
            return file.testzip() or ""
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as problem:
        return str(problem)


def damaged(path: Path, why: str) -> RequestError:
    """The refusal of a damaged file."""
    return RequestError("The file is damaged.", f"{path.name}: {why}", "Copy or download it again.")


def _check_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
    except (OSError, ValueError, zipfile.BadZipFile):
        raise damaged(path, "it starts like a ZIP, but ends before its table of contents") from None
    outside = next((name for name in names if _leads_out(name)), None)
    if outside is not None:
        raise RequestError(
            "The file contains a path that leads outside it, so it is not opened.", f"{path.name}: {outside}", SAVE
        )
    if CONFIG in names and any(name.startswith("model.weights.") for name in names):
        return
    ends = {PurePosixPath(name).name for name in names}
    if "data.pkl" in ends or "constants.pkl" in ends:
        raise _foreign(path, "a PyTorch network")
    if "saved_model.pb" in ends:
        raise RequestError(
            "This is a zipped SavedModel.", path.name, "Unpack it on this machine and give its folder: saved:<folder>."
        )
    if names and all(name.endswith(".npy") for name in names):
        raise RequestError("The file contains NumPy arrays, not a network.", path.name, SAVE)
    if CONFIG in names:
        raise RequestError("The file describes a network, but its weights are not in it.", path.name, SAVE)
    raise RequestError("This is a ZIP, but not one that Keras wrote.", f"{path.name}: {', '.join(names[:3])}", SAVE)


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in name[:2]


def _check_h5(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            whole, keys = "model_config" in file.attrs, set(file)
            weights = "layer_names" in file.attrs or bool(keys & {"layers", "vars", "_layer_checkpoint_dependencies"})
    except (OSError, ValueError, RuntimeError) as problem:
        raise damaged(path, f"HDF5 cannot open it ({str(problem)[:100]})") from None
    if whole:
        return
    if weights:
        raise RequestError(
            "The file contains only weights and does not say which layers they belong to.",
            path.name,
            f"{SAVE} Weights for a network of keras.applications can be used as weights:<path>@<backbone>, "
            f"weights:{path.name}@mobilenet_v2 for example.",
        )
    raise RequestError("This is an HDF5 file, but it contains no network.", f"{path.name}: {sorted(keys)[:3]}", SAVE)


def _foreign(path: Path, what: str) -> RequestError:
    return RequestError(f"This is {what}; the lab reads Keras networks and SavedModels.", path.name, SAVE)


def _other(path: Path, head: bytes) -> RequestError:
    """The refusal of a file that is neither ZIP nor HDF5."""
    text = head.lstrip().lower()
    if not head:
        return RequestError("The file is empty.", path.name, "Copy or download it again.")
    if text.startswith(b"version https://git-lfs"):
        return RequestError(
            "This is a Git LFS pointer, not the file itself.", path.name, "Fetch the file: git lfs pull."
        )
    if text.startswith((b"<!doctype html", b"<html")):
        return RequestError(
            "This is a web page, not a network.", path.name, "Download the file itself, not the page that shows it."
        )
    if head[4:8] == b"TFL3":
        return _foreign(path, "a TensorFlow Lite network")
    if path.suffix == ".onnx" or (head[0] == 8 and head[1] < 32 and head[2:3] in (b"\x12", b"\x1a", b"\x3a", b"B")):
        return _foreign(path, "a network in ONNX format")
    if head[0] == 0x80 and 2 <= head[1] <= 5:
        return RequestError(
            "This is a Python pickle (PyTorch, joblib or another), which can run code when opened: it is not opened.",
            path.name, SAVE,
        )  # fmt: skip
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size:
        return _foreign(path, "a weights file in safetensors format")
    if text.startswith(b"{"):
        return RequestError("This is text (JSON): it may describe a network, but contains no weights.", path.name, SAVE)
    if path.suffix in (".keras", ".h5", ".hdf5") or not any(head):
        return damaged(path, "it starts neither like a ZIP (.keras) nor like HDF5 (.h5)")
    return RequestError("This is not a Keras network file.", path.name, SAVE)

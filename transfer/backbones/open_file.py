"""Opens the network in a file without running any of its code: the only way in, for inspection and for training.

The file is recognised by content (`form`), its description is searched for code before Keras sees it (`saved_config`),
and Keras reads it with safe mode on. The result is flat (`unfolded`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from transfer.backbones import form, saved_config
from transfer.backbones.form import CONFIG, H5, KERAS, SAVE
from transfer.backbones.unfolded import unfolded
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

# The layers that reveal the size and channels of a Sequential that was saved without an input.
_TRIED_CHANNELS = (3, 1)


class Opened(NamedTuple):
    """A flat network from a file, and what the user should know about how it was read.

    Args:
        network: functional; reads pictures and has one output.
        notes: sentences on what was left out or changed.
        ends: the last layer of each network nested in it, by that network's name.
    """

    network: keras.Model
    notes: list[str]
    ends: dict[str, str]


def opened(path: Path) -> Opened:
    """The network in the file.

    Raises:
        RequestError: it cannot be read, would have to be trusted, or reads no pictures.
    """
    loaded, notes = loaded_from(path)
    check_reads_pictures(loaded, path.name)
    if len(loaded.outputs) > 1:
        notes.append(f"It has {len(loaded.outputs)} outputs: only the first is used.")
    flat = unfolded(loaded)
    if flat.left_out:
        kinds = ", ".join(dict.fromkeys(flat.left_out))
        notes.append(f"Its augmentation ({kinds}) is left out: use the lab's own option Augment instead.")
    if flat.twice:
        notes.append(f"Layers used in several places became independent copies: {', '.join(flat.twice[:5])}.")
    return Opened(flat.network, notes, flat.ends)


def loaded_from(path: Path) -> tuple[keras.Model, list[str]]:
    """The network as Keras returns it, with known inputs, and what had to be left out.

    Raises:
        RequestError: it cannot be read, or would have to be trusted.
    """
    import keras

    kind = form.form(path)
    config = form.config_of(path, kind)
    code = saved_config.holds_code(config)
    if code is not None:
        raise _trusted(path, code)
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        # Keras goes by the file extension, the lab by the content.
        file = Path(folder) / f"network.{kind}"
        file.symlink_to(path.resolve())
        try:
            loaded = keras.models.load_model(file, compile=False, safe_mode=True)
        except Exception as problem:  # noqa: BLE001  # Keras and h5py raise of every kind; each is the file's fault
            loaded = _without_unknown(path, kind, config, Path(folder), problem, notes)
    if any(isinstance(layer, keras.layers.Lambda) for layer in getattr(loaded, "_flatten_layers", list)()):
        raise _trusted(path, "Lambda")
    if not isinstance(loaded, keras.Model) or not _has_graph(loaded):
        raise RequestError(
            "The network's layers are not accessible: it is neither functional nor a built Sequential.",
            f"{path.name}, {type(loaded).__name__}",
            f"Call it once on pictures before saving (a Sequential), or build it with Keras' functional API. {SAVE}",
        )
    return loaded, notes


def check_reads_pictures(network: keras.Model, named: str) -> None:
    """Refuses a network whose input is not a single picture with 1 or 3 channels, which come last.

    Raises:
        RequestError: says which input it has.
    """
    shapes = [tuple(one.shape) for one in network.inputs]
    received = f"{named}, input{'s' if len(shapes) > 1 else ''} {', '.join(map(str, shapes))}"
    remedy = "It needs one input of shape (height, width, channels), with 1 or 3 channels."
    if len(shapes) > 1:
        raise RequestError("The network has several inputs, but the lab only feeds it pictures.", received, remedy)
    shape = shapes[0]
    if len(shape) == 4 and shape[1] in (1, 3) and shape[-1] not in (1, 3):
        raise RequestError("The network expects channels first.", received, f"{remedy} Save it with channels last.")
    if len(shape) != 4 or shape[-1] not in (1, 3):
        raise RequestError("The network does not read pictures.", received, remedy)
    if (shape[1] is None) != (shape[2] is None):
        raise RequestError("The network fixes height or width, but not both.", received, remedy)


def _has_graph(loaded: Any) -> bool:
    """Whether its layers and their connections are accessible; builds a Sequential first if possible."""
    import keras

    if isinstance(loaded, keras.Sequential) and loaded._functional is None and loaded.layers:
        loaded.build(getattr(loaded, "_build_shapes_dict", None) or (None, None, None, 3))
    whole = getattr(loaded, "_functional", loaded)
    return bool(getattr(whole, "inputs", None)) and hasattr(whole, "_run_through_graph")


def _without_unknown(
    path: Path, kind: str, config: dict[str, Any], folder: Path, problem: Exception, notes: list[str]
) -> keras.Model:
    """The network, read again without unknown settings that are switched off.

    Raises:
        RequestError: there are none, an unknown one is in use, or it cannot be read for another reason.
    """
    import keras

    unknown = saved_config.unknown_settings(config)
    at_work = [f"{name}={one['config'][name]!r} of {_named(one)}" for one, name in unknown
               if not saved_config.at_rest(name, one["config"][name])]  # fmt: skip
    if at_work:
        raise RequestError(
            "A layer has a setting that this version of Keras does not know.",
            f"{path.name}: {', '.join(at_work[:3])}{_versions(path, kind)}", SAVE,
        ) from None  # fmt: skip
    if not unknown:
        raise _refused(path, kind, problem) from None
    left_out = saved_config.without(unknown)
    file = folder / f"rewritten.{kind}"
    _rewritten(path, kind, config, file)
    try:
        loaded = keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as other:  # noqa: BLE001  # as above
        raise _refused(path, kind, other) from None
    notes.append(f"Ignored settings, switched off and unknown to this version of Keras: {', '.join(left_out)}.")
    return loaded


def _rewritten(path: Path, kind: str, config: dict[str, Any], output: Path) -> None:
    """A copy of the file with another description."""
    import h5py

    if kind == H5:
        shutil.copyfile(path, output)
        with h5py.File(output, "r+") as file:
            file.attrs["model_config"] = json.dumps(config)
        return
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(output, "w") as made:
        for part in given.infolist():
            with given.open(part) as source, made.open(part.filename, "w", force_zip64=True) as target:
                if part.filename == CONFIG:
                    target.write(json.dumps(config).encode())
                else:
                    shutil.copyfileobj(source, target)


def _refused(path: Path, kind: str, problem: Exception) -> RequestError:
    """The true reason, as far as Keras' message tells it."""
    said = _innermost(str(problem))
    if "Lambda" in said or "safe_mode" in said or "unsafe" in said.lower():
        return _trusted(path, "an object that Keras considers unsafe")
    if any(words in str(problem) for words in ("Could not locate", "Unknown layer", "custom object", "Unknown object")):
        return RequestError(
            "The network has layers that are not Keras' own.",
            f"{path.name}: {said}",
            f"Build it from Keras' own layers. {SAVE}",
        )
    if kind == KERAS and (part := form.torn(path)):
        return form.damaged(path, f"the checksum of {part} is wrong")
    if isinstance(problem, OSError):
        return form.damaged(path, said)
    return RequestError(
        "Keras cannot read the network.", f"{path.name}: {said}{_versions(path, kind)}",
        "Load it where it was made, with that version of Keras, and save it again: model.save('name.keras').",
    )  # fmt: skip


def _versions(path: Path, kind: str) -> str:
    import keras

    saved = form.saved_by(path, kind)
    return f" (saved by Keras {saved}; here it is {keras.__version__})" if saved else ""


def _innermost(said: str) -> str:
    """The innermost error: Keras wraps it in the settings of every surrounding layer."""
    last = said.rpartition("Exception encountered: ")[2].strip()
    lines = [line for line in last.splitlines() if line.strip()]
    return lines[0][:200] if lines else "no reason given"


def _named(described: dict[str, Any]) -> str:
    return f"{described['config'].get('name', '?')} ({described['class_name']})"


def _trusted(path: Path, code: str) -> RequestError:
    return RequestError(
        "The file contains program code or reads other files, and would have to be trusted: it is not opened.",
        f"{path.name}: {code}",
        f"Use Keras' own layers instead (Rescaling instead of a Lambda that divides, for example). {SAVE}",
    )

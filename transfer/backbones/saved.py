"""A network of one's own from a file: ``file:<path>``, cut where one wants it.

    file:/models/net.keras                     cut below its classifier
    file:/models/net.keras@cut=block5_pool     cut there
    file:/models/net.keras@pixels=0..1         fed pixels of 0 to 1

The file is never opened in the process that asks: `transfer.backbones.inspect_file` looks into it once, and what it
found is kept for as long as the file does not change.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained
from transfer.backbones.cutting import output_of
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

PREFIX = "file"
PIXELS = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}
USUAL_SIZE, SMALLEST = 96, 32
INSPECTION_SECONDS = 300
LAYOUT = 2
Description = dict[str, Any]


def place() -> Path:
    """The folder of uploaded networks; made when missing."""
    folder = settings.home() / "networks"
    folder.mkdir(exist_ok=True)
    return folder


def safe_name(name: str) -> str:
    """An upload's name without folders and without what a key would take for a setting."""
    return Path(name).name.replace("@", "_").lstrip(".") or "network.keras"


def keep(name: str, content: bytes) -> Path:
    """An uploaded file, kept under the lab's home; another of the same name is replaced by it."""
    path = place() / safe_name(name)
    path.write_bytes(content)
    return path


def parted(rest: str) -> tuple[Path, dict[str, str]]:
    """Path and settings of a key without its prefix."""
    parts = rest.split("@")
    chosen: dict[str, str] = {}
    while len(parts) > 1 and parts[-1].partition("=")[0] in ("cut", "pixels"):
        name, _, value = parts.pop().partition("=")
        chosen[name] = value
    return Path("@".join(parts)).expanduser(), chosen


def key_of(path: Path | str, cut: str = "", pixels: str = "") -> str:
    """The key of that network; without ``cut`` and ``pixels`` as usual."""
    return f"{PREFIX}:{path}" + (f"@cut={cut}" if cut else "") + (f"@pixels={pixels}" if pixels else "")


def description(path: Path) -> Description:
    """What is known of the network; it is looked into first (seconds) when nobody has since the file changed.

    Raises:
        RequestError: there is no such file, or it is refused.
    """
    known = described(path)
    if known is None:
        known = _looked_into(path)
        _kept(path).write_text(json.dumps(known))
    if "refused" in known:
        raise RequestError(*known["refused"])
    return known


def _looked_into(path: Path) -> Description:
    """What another process finds in the file; this one never opens it."""
    # As a part of this installation, wherever the asking process was started.
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from transfer.backbones import inspect_file as it; it.main()"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parents[2]), str(path.resolve())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSPECTION_SECONDS, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RequestError("The file could not be looked into.", f"{path}: {last[0][:200]}", "Try another file.")
    found: Description = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def described(path: Path) -> Description | None:
    """What was found before, a refusal among it, or None; cheap."""
    try:
        found: Description = json.loads(_kept(path).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found


def _kept(path: Path) -> Path:
    return settings.cache("inspections") / f"{LAYOUT}-{stamp(path)}.json"


def stamp(path: Path) -> str:
    """Changes whenever the file does."""
    roots = (*settings.folder_roots(), place().resolve())
    if len(roots) > 1 and not any(path.resolve().is_relative_to(root) for root in roots):
        raise RequestError("Files there may not be used.", str(path), "Put it below a folder of TRANSFER_FOLDERS.")
    try:
        seen = path.stat()
    except OSError:
        raise RequestError("There is no such file.", str(path), "Give the path of a .keras file.") from None
    if not path.is_file():
        raise RequestError(
            "This is a folder, not the file of a network.",
            str(path),
            "A SavedModel cannot be trained by Keras 3: load it where it was made and save it as a .keras file.",
        )
    words = f"{path.resolve()} {seen.st_size} {seen.st_mtime_ns}"
    return hashlib.sha256(words.encode()).hexdigest()[:40]


def open_(rest: str) -> Backbone:
    """The network of a key without its prefix, as a backbone."""
    path, chosen = parted(rest)
    known = description(path)
    cuts = [layer["name"] for layer in known["layers"] if layer["cut"]]
    cut = chosen.get("cut") or usual_cut(known)
    if cut not in cuts:
        raise RequestError(f"{path.name} cannot be cut there.", repr(cut), f"It can at {', '.join(cuts[-8:])}.")
    pixels = chosen.get("pixels") or usual_pixels(known)
    if pixels not in PIXELS:
        raise RequestError("There is no such range of pixels.", repr(pixels), f"Give {', '.join(PIXELS)}.")
    kept = known["layers"][: [layer["name"] for layer in known["layers"]].index(cut) + 1]
    size = known["size"]
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=f"{path.stem} up to {cut}",
        summary=f"Your own network, {len(kept)} of its {len(known['layers'])} layers, from {path.name}.",
        parameters=sum(layer["weights"] for layer in kept),
        stages=tuple(f"stage{n}" for n in range(1, stage_count(kept) + 1)),
        image_size=size or USUAL_SIZE,
        smallest=size or SMALLEST,
        largest=size,
        channels=known["channels"],
        licence="your own",
        reference=str(path),
        preprocessing=f"pixels of {pixels.replace('..', ' to ')}, then as in the file",
        build=functools.partial(_build, path=path, cut=cut, pixels=pixels),
        pretrained=Pretrained(
            source="its file's",
            origin=str(path),
            identity=f"{stamp(path)} {cut} {pixels}",
            load=functools.partial(_load, path=path, cut=cut, pixels=pixels),
        ),
    )


def usual_cut(known: Description) -> str:
    """Below the classifier when the network ends with one, else at its end."""
    cuts = [layer["name"] for layer in known["layers"] if layer["cut"]]
    names = [layer["name"] for layer in known["layers"]]
    if known["classifier"] is not None:
        below = names[: names.index(known["classifier"])]
        cuts = [name for name in cuts if name in below] or cuts
    return str(cuts[-1])


def usual_pixels(known: Description) -> str:
    """As they are when the network rescales them itself, else 0 to 1."""
    return "0..255" if known["rescales"] else "0..1"


def stage_count(kept: list[dict[str, Any]]) -> int:
    """Into how many stages they are cut: one for each weighted layer at which it can be, four at most."""
    return len(ends(kept))


def ends(kept: list[dict[str, Any]]) -> list[str]:
    """Names of the layers that end the stages; the weights are shared out as evenly as the cuts allow.

    The rule of `cutting` looks at joins and resolutions, which needs the network itself; here it has to follow from
    the description, for the pages know the stages before anything is loaded.
    """
    places, heard = [], False
    for layer in kept:
        heard = heard or layer["weights"] > 0
        if layer["cut"] and heard:
            places.append(layer["name"])
            heard = False
    last = kept[-1]["name"]
    above = places[-1] if places else last
    if above != last and sum(layer["weights"] for layer in kept[[one["name"] for one in kept].index(above) + 1 :]) == 0:
        places.pop()  # what follows has no weights: it belongs to the stage below
    places = [name for name in places if name != last] + [last]
    most = 5
    if len(places) <= most:
        return places
    return [places[round((n + 1) * len(places) / most) - 1] for n in range(most)]


def _build(image_size: int, path: Path, cut: str, pixels: str) -> list[keras.Model]:
    """Its stages with new weights."""
    import keras

    from transfer.backbones.inspect_file import opened

    whole = keras.models.clone_model(opened(path))
    return _stages(whole, path, cut, pixels, image_size)


def _load(stages: list[keras.Model], path: Path, cut: str, pixels: str) -> None:
    """Puts the file's weights into the stages."""
    from transfer.backbones.inspect_file import opened

    size = stages[0].input_shape[1]
    for stage, giver in zip(stages, _stages(opened(path), path, cut, pixels, size), strict=True):
        stage.set_weights(giver.get_weights())


def _stages(whole: keras.Model, path: Path, cut: str, pixels: str, image_size: int) -> list[keras.Model]:
    import keras

    known = description(path)
    names = [layer["name"] for layer in known["layers"]]
    kept = known["layers"][: names.index(cut) + 1]
    entry = keras.Input((image_size, image_size, known["channels"]), name="pixels")
    scale, offset = PIXELS[pixels]
    flowing = entry if scale == 1 else keras.layers.Rescaling(scale, offset, name="own_range")(entry)
    stages, below = [], whole.inputs[0]
    by_name = {operation.name: operation for operation in whole.operations}
    places = ends(kept)
    for n, name in enumerate(places, start=1):
        above = output_of(by_name[name])
        # Called on new inputs, so that the same layers may be fed another size than they were saved with.
        flowing = keras.Model(below, above)(flowing)
        if name == places[-1]:
            if len(flowing.shape) == 4:
                flowing = keras.layers.GlobalAveragePooling2D(name="mean")(flowing)
            elif len(flowing.shape) == 3:
                flowing = keras.layers.GlobalAveragePooling1D(name="mean")(flowing)
        stages.append(keras.Model(entry, flowing, name=f"stage{n}"))
        below, entry = above, keras.Input(flowing.shape[1:])
        flowing = entry
    return stages


def _known() -> list[str]:
    """Keys of uploaded networks that were found good."""
    return [key_of(path) for path in sorted(place().iterdir()) if (found := described(path)) and "refused" not in found]


SAVED = Family(PREFIX, open_, _known)

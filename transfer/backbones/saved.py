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
from pathlib import Path
from typing import TYPE_CHECKING

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained
from transfer.backbones.described import Description, chosen_cut, kept_up_to, staged, stages, weights
from transfer.elsewhere import asked
from transfer.errors import RequestError

if TYPE_CHECKING:
    import keras

PREFIX = "file"
PIXELS = {"0..255": (1.0, 0.0), "0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0)}
USUAL_SIZE, SMALLEST = 96, 32
INSPECTION_SECONDS = 300
LAYOUT = 2


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
        known = asked("transfer.backbones.inspect_file", "inspect", str(path.resolve()), INSPECTION_SECONDS)
        _kept(path).write_text(json.dumps(known))
    if "refused" in known:
        raise RequestError(*known["refused"])
    return known


def described(path: Path) -> Description | None:
    """What was found before, a refusal among it, or None; cheap."""
    try:
        found: Description = json.loads(_kept(path).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found


def _kept(path: Path) -> Path:
    return settings.cache("inspections") / f"{LAYOUT}-{stamp(path)}.json"


def usable(path: Path) -> None:
    """Raises `RequestError` when the administrator keeps networks to other folders."""
    roots = (*settings.folder_roots(), place().resolve())
    if len(roots) > 1 and not any(path.resolve().is_relative_to(root) for root in roots):
        raise RequestError("Files there may not be used.", str(path), "Put it below a folder of TRANSFER_FOLDERS.")


def stamp(path: Path) -> str:
    """Changes whenever the file does."""
    usable(path)
    try:
        seen = path.stat()
    except OSError:
        raise RequestError("There is no such file.", str(path), "Give the path of a .keras file.") from None
    if not path.is_file():
        raise RequestError(
            "This is a folder, not the file of a network.",
            str(path),
            f"A SavedModel can be used, frozen, as saved:{path}. To train it, save it as .keras where it was made.",
        )
    words = f"{path.resolve()} {seen.st_size} {seen.st_mtime_ns}"
    return hashlib.sha256(words.encode()).hexdigest()[:40]


def open_(rest: str) -> Backbone:
    """The network of a key without its prefix, as a backbone."""
    path, chosen = parted(rest)
    known = description(path)
    cut = chosen_cut(known, chosen.get("cut", ""), path.name)
    pixels = chosen_pixels(known, chosen.get("pixels", ""))
    kept, size = kept_up_to(known, cut), known["size"]
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=f"{path.stem} up to {cut}",
        summary=f"Your own network, {len(kept)} of its {len(known['layers'])} layers, from {path.name}.",
        parameters=weights(kept),
        stages=stages(kept),
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


def usual_pixels(known: Description) -> str:
    """As they are when the network rescales them itself, else 0 to 1."""
    return "0..255" if known["rescales"] else "0..1"


def chosen_pixels(known: Description, asked: str) -> str:
    """The range of the pixels: as it is asked for, or as usual when nothing is.

    Raises:
        RequestError: there is no such range.
    """
    pixels = asked or usual_pixels(known)
    if pixels not in PIXELS:
        raise RequestError("There is no such range of pixels.", repr(pixels), f"Give {', '.join(PIXELS)}.")
    return pixels


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
    scale, offset = PIXELS[pixels]
    return staged(whole, description(path), cut, image_size, scale, offset)


def _known() -> list[str]:
    """Keys of uploaded networks that were found good."""
    return [key_of(path) for path in sorted(place().iterdir()) if (found := described(path)) and "refused" not in found]


SAVED = Family(PREFIX, open_, _known)

"""A user's network from a file: ``file:<path>``, with a choice of where to cut it.

    file:/models/net.keras                     cut below its classifier
    file:/models/net.keras@cut=block5_pool     cut there
    file:/models/net.keras@pixels=0..1         fed pixels of 0 to 1 (`transfer.backbones.pixels` has the others)

The file is never opened in the calling process: `transfer.backbones.inspect_file` inspects it once, and the result
is cached as long as the file does not change.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from transfer import settings
from transfer.backbones import Backbone, Family, Pretrained, content
from transfer.backbones.described import (
    Description,
    chosen_cut,
    chosen_pixels,
    doubts,
    fed,
    kept_up_to,
    staged,
    stages,
    weights,
)
from transfer.backbones.pixels import PIXELS
from transfer.errors import RequestError
from transfer.seen.carried import carried
from transfer.separate_process import asked

if TYPE_CHECKING:
    import keras

PREFIX = "file"
USUAL_SIZE, SMALLEST = 96, 32
INSPECTION_SECONDS = 300
LAYOUT = 3
# How older versions of the lab read a file; requested only by `as_read`.
OLD_READING = "1"


def place() -> Path:
    """The folder of uploaded networks; created if missing."""
    folder = settings.home() / "networks"
    folder.mkdir(exist_ok=True)
    return folder


def parted(rest: str) -> tuple[Path, dict[str, str]]:
    """The path and settings in a key without its prefix."""
    parts = rest.split("@")
    chosen: dict[str, str] = {}
    while len(parts) > 1 and parts[-1].partition("=")[0] in ("cut", "pixels", "reading"):
        name, _, value = parts.pop().partition("=")
        chosen[name] = value
    # As the shell does: an unknown home directory is left as written.
    return Path(os.path.expanduser("@".join(parts))), chosen


def key_of(path: Path | str, cut: str = "", pixels: str = "") -> str:
    """The key of that network; without ``cut`` and ``pixels`` as usual."""
    return f"{PREFIX}:{path}" + (f"@cut={cut}" if cut else "") + (f"@pixels={pixels}" if pixels else "")


def description(path: Path, reading: str = "") -> Description:
    """The description of the network; inspects the file first (seconds) if it has changed since the last time.

    Args:
        path: path of the file.
        reading: `OLD_READING`, or empty for the current reader.

    Raises:
        RequestError: there is no such file, or it is refused.
    """
    known = described(path, reading)
    if known is None:
        module = "transfer.backbones.old_reading" if reading else "transfer.backbones.inspect_file"
        known = asked(module, "inspect", str(path.resolve()), INSPECTION_SECONDS)
        _kept(path, reading).write_text(json.dumps(known))
    if "refused" in known:
        raise RequestError(*known["refused"])
    return known


def described(path: Path, reading: str = "") -> Description | None:
    """The cached result, which may be a refusal, or None; cheap."""
    try:
        found: Description = json.loads(_kept(path, reading).read_text())
    except (FileNotFoundError, ValueError):
        return None
    return found


def _kept(path: Path, reading: str = "") -> Path:
    # Includes the file's name, because refusals mention it.
    words = hashlib.sha256(f"{path.name} {stamp(path)}".encode("utf-8", "surrogateescape")).hexdigest()
    return settings.cache("inspections") / f"{LAYOUT}-{f'old-{reading}-' if reading else ''}{words[:40]}.json"


def usable(path: Path) -> None:
    """Raises `RequestError` if this cannot be a path, or the administrator restricts networks to other folders."""
    if "\0" in str(path):
        raise RequestError("This is not a path.", repr(str(path)), "Give the path of a network on this machine.")
    roots = (*settings.folder_roots(), place().resolve())
    if len(roots) > 1 and not any(path.resolve().is_relative_to(root) for root in roots):
        raise RequestError("Files there may not be used.", str(path), "Put it into a folder of TRANSFER_FOLDERS.")


def stamp(path: Path) -> str:
    """Digest of the file's content.

    Raises:
        RequestError: there is no such file, or it may not be used.
    """
    usable(path)
    try:
        path.stat()
    except OSError:
        raise RequestError("There is no such file.", str(path), "Give the path of a .keras file.") from None
    if not path.is_file():
        raise RequestError(
            "This is a folder, not a network file.",
            str(path),
            f"A SavedModel can be used, frozen, as saved:{path}. To train it, save it as .keras where it was made.",
        )
    return content.digest(path)


def open_(rest: str) -> Backbone:
    """The network for a key without its prefix, as a backbone."""
    path, chosen = parted(rest)
    now, reading = functools.partial(stamp, path), chosen.get("reading", "")
    seen = now()
    known = description(path, reading)
    cut = chosen_cut(known, chosen.get("cut", ""), path.name)
    pixels = chosen_pixels(known, chosen.get("pixels", ""))
    kept, size = kept_up_to(known, cut), known["size"]
    held = functools.partial(content.guarded, now=now, expected=seen, named=str(path))
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=f"{path.stem} up to {cut}",
        summary=f"Your own network, {len(kept)} of its {len(known['layers'])} layers, from {path.name}.",
        parameters=weights(kept),
        stages=stages(kept),
        size=size or USUAL_SIZE,
        smallest=size or SMALLEST,
        largest=size,
        channels=known["channels"],
        licence="your own",
        reference=str(path),
        notes=doubts(known, chosen.get("pixels", "")),
        trained_on=carried(path, seen),
        preprocessing=f"{fed(known, chosen.get('pixels', ''))}, then as in the file",
        build=held(functools.partial(_build, path=path, cut=cut, pixels=pixels, reading=reading)),
        pretrained=Pretrained(
            source="its file's",
            origin=str(path),
            identity=f"{seen} {cut} {pixels}" + ("" if reading else f" read {LAYOUT}"),
            load=held(functools.partial(_load, path=path, cut=cut, pixels=pixels, reading=reading)),
            content=seen,
        ),
    )


def _build(image_size: int, path: Path, cut: str, pixels: str, reading: str) -> list[keras.Model]:
    """Its stages with new weights."""
    import keras

    whole = keras.models.clone_model(_opened(path, reading))
    return staged(whole, description(path, reading), cut, image_size, PIXELS[pixels])


def _load(stages: list[keras.Model], path: Path, cut: str, pixels: str, reading: str) -> None:
    """Puts the file's weights into the stages."""
    size = stages[0].input_shape[1]
    givers = staged(_opened(path, reading), description(path, reading), cut, size, PIXELS[pixels])
    for stage, giver in zip(stages, givers, strict=True):
        stage.set_weights(giver.get_weights())


def _opened(path: Path, reading: str) -> keras.Model:
    from transfer.backbones import old_reading, open_file

    return old_reading.opened(path) if reading else open_file.opened(path).network


def _known() -> list[str]:
    """Keys of uploaded networks that were accepted."""
    return [key_of(path) for path in sorted(place().iterdir()) if (found := described(path)) and "refused" not in found]


SAVED = Family(PREFIX, open_, _known)

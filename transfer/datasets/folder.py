"""Pictures in a folder of this machine: ``folder:/data/flowers``, a class a sub-folder or by ``labels.csv``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from transfer import settings
from transfer.datasets import Dataset, Family
from transfer.errors import RequestError, as_text

_PLACE = "folders"


def opened(path: str) -> Dataset:
    """The folder as a data set.

    Raises:
        RequestError: it is not there, not to be read, or has nothing that could be learned.
    """
    from transfer.pictures import own

    folder = allowed(path)
    title = as_text(folder.name or str(folder))
    return own.dataset(f"folder:{path}", title, folder, f"The folder `{as_text(str(folder))}`")


def allowed(path: str, example: str = "folder:/path/to/pictures", noun: str = "folder") -> Path:
    """The folder of that path, if it is one that may be read.

    Args:
        path: on this machine.
        example: of a key, for the message.
        noun: what the path is of, for the message.

    Raises:
        RequestError: no path, one that cannot be written down, or not one under TRANSFER_FOLDERS.
    """
    if as_text(path) != path or "\0" in path:
        raise RequestError(
            "This path cannot be kept with a run: its name is not UTF-8.", repr(path)[1:-1],
            f"Rename the {noun}, or make a link to it with a plain name and give that.",
        )  # fmt: skip
    folder = Path(path).expanduser()
    if not path.strip():
        raise RequestError(f"A {noun} needs a path.", f"{example.partition(':')[0]}:", f"Write {example}.")
    roots = settings.folder_roots()
    if roots and not any(folder.resolve().is_relative_to(root) for root in roots):
        raise RequestError(
            f"This {noun} is not among those that may be used here.", path,
            f"Choose one under {' or '.join(map(str, roots))}, or change TRANSFER_FOLDERS.",
        )  # fmt: skip
    return folder.resolve()


def remember(path: str, place: str = _PLACE) -> None:
    """Keeps the folder among the choices.

    Args:
        path: of the folder.
        place: the list that it stands in; other families have lists of their own.
    """
    folder = settings.home() / place
    folder.mkdir(exist_ok=True)
    name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    (folder / f"{name}.json").write_text(json.dumps(path))


def forget(path: str) -> None:
    """Takes the folder from the choices; its pictures stay where they are."""
    forgotten(path, _PLACE)


def forgotten(path: str, place: str) -> None:
    """Takes a path from a list."""
    for file, one in _remembered(place):
        if one == path:
            file.unlink(missing_ok=True)


def known() -> list[str]:
    """Keys of the folders that are remembered."""
    return [f"folder:{path}" for path in remembered(_PLACE)]


def remembered(place: str) -> list[str]:
    """The paths in a list, oldest first."""
    return [path for _, path in _remembered(place)]


def _remembered(place: str) -> list[tuple[Path, str]]:
    found = []
    for file in sorted((settings.home() / place).glob("*.json"), key=lambda one: one.stat().st_mtime):
        try:
            found.append((file, str(json.loads(file.read_text()))))
        except (OSError, ValueError):
            continue
    return found


FOLDER = Family("folder", opened, known)

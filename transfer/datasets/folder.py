"""Pictures in a folder of this machine: ``folder:/data/flowers``, a class a sub-folder or by ``labels.csv``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from transfer import settings
from transfer.datasets import Dataset, Family
from transfer.errors import RequestError, as_text


def opened(path: str) -> Dataset:
    """The folder as a data set.

    Raises:
        RequestError: it is not there, not to be read, or has nothing that could be learned.
    """
    from transfer.pictures import own

    folder = allowed(path)
    title = as_text(folder.name or str(folder))
    return own.dataset(f"folder:{path}", title, folder, f"The folder `{as_text(str(folder))}`")


def allowed(path: str) -> Path:
    """The folder of that path, if it is one that may be read.

    Raises:
        RequestError: no path, one that cannot be written down, or not one under TRANSFER_FOLDERS.
    """
    if as_text(path) != path or "\0" in path:
        raise RequestError(
            "This path cannot be kept with a run: its name is not UTF-8.", repr(path)[1:-1],
            "Rename the folder, or make a link to it with a plain name and give that.",
        )  # fmt: skip
    folder = Path(path).expanduser()
    if not path.strip():
        raise RequestError("A folder needs a path.", "folder:", "Write folder:/path/to/pictures.")
    roots = settings.folder_roots()
    if roots and not any(folder.resolve().is_relative_to(root) for root in roots):
        raise RequestError(
            "This folder is not among those that may be used here.", path,
            f"Choose one under {' or '.join(map(str, roots))}, or change TRANSFER_FOLDERS.",
        )  # fmt: skip
    return folder.resolve()


def remember(path: str) -> None:
    """Keeps the folder among the choices."""
    place = settings.home() / "folders"
    place.mkdir(exist_ok=True)
    name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:20]
    (place / f"{name}.json").write_text(json.dumps(path))


def forget(path: str) -> None:
    """Takes the folder from the choices; its pictures stay where they are."""
    for file, one in _remembered():
        if one == path:
            file.unlink(missing_ok=True)


def known() -> list[str]:
    """Keys of the folders that are remembered."""
    return [f"folder:{path}" for _, path in _remembered()]


def _remembered() -> list[tuple[Path, str]]:
    found = []
    for file in sorted((settings.home() / "folders").glob("*.json"), key=lambda one: one.stat().st_mtime):
        try:
            found.append((file, str(json.loads(file.read_text()))))
        except (OSError, ValueError):
            continue
    return found


FOLDER = Family("folder", opened, known)

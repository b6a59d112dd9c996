"""The only way in which the lab deletes files for a user: never outside its own home."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

from transfer import settings
from transfer.errors import LabError, RequestError


def is_inside(path: Path) -> bool:
    """Whether a file or folder is really inside the lab's home, and is not the home itself."""
    place, home = _place(path), settings.home().resolve()
    return place is not None and place != home and place.is_relative_to(home)


def check(path: Path) -> None:
    """Raises `RequestError` if the lab may not delete this; see `is_inside`."""
    if not is_inside(path):
        raise RequestError(
            "The lab deletes only inside its own folder, and this is elsewhere.",
            repr(str(path)[:200]),
            f"Delete it by hand if you want. If {settings.home()} contains a link to another disk, set TRANSFER_HOME "
            "to a folder there instead.",
        )


def remove(path: Path) -> None:
    """Removes a file, or a folder with all its contents, from the lab's home. Of a link, removes only the link itself.

    It is no error if it does not exist, or if another process removes it at the same time.

    Raises:
        RequestError: see `check`; nothing was removed.
        LabError: the system refused to remove some of it.
    """
    check(path)
    place = _place(path)
    assert place is not None, "checked"
    try:
        if place.is_symlink() or place.is_file():
            place.unlink(missing_ok=True)
        else:
            shutil.rmtree(place, onerror=_unless_gone)
    except OSError as problem:
        remedy = "Check the folder's owner and permissions, then try again."
        raise LabError("Some files could not be removed.", f"{place}: {problem.strerror}", remedy) from problem


def _unless_gone(_function: object, _path: object, about: tuple[type, BaseException, TracebackType]) -> None:
    if not isinstance(about[1], FileNotFoundError):
        raise about[1]


def _place(path: Path) -> Path | None:
    """Its real path, without resolving the last part, so that a link stays a link; None if it has none."""
    if path.name in ("", "..") or "\0" in path.name:
        return None
    try:
        return path.parent.resolve() / path.name
    except (OSError, ValueError, RuntimeError):
        return None  # a NUL in the path, a name that is too long, or links in a circle

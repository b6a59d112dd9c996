"""The one way in which the lab deletes what a person asks it to: never outside its own home."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

from transfer import settings
from transfer.errors import LabError, RequestError


def is_inside(path: Path) -> bool:
    """Whether a file or folder really lies in the lab's home, and is not the home itself."""
    place, home = _place(path), settings.home().resolve()
    return place is not None and place != home and place.is_relative_to(home)


def check(path: Path) -> None:
    """Raises `RequestError` when the lab may not delete this; see `is_inside`."""
    if not is_inside(path):
        raise RequestError(
            "The lab deletes only inside its own folder, and this lies elsewhere.",
            repr(str(path)[:200]),
            f"Delete it by hand if it should go. If {settings.home()} holds a link to another disk, set TRANSFER_HOME "
            "to a folder there instead.",
        )


def remove(path: Path) -> None:
    """Removes a file, or a folder with all that is in it, from the lab's home. Of a link, the link alone goes.

    One that is not there, or that another process removes at the same time, is no error.

    Raises:
        RequestError: see `check`; nothing was removed.
        LabError: the system refused to remove something in it.
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
        remedy = "Look at the folder's owner and permissions, then try again."
        raise LabError("Some files could not be removed.", f"{place}: {problem.strerror}", remedy) from problem


def _unless_gone(_function: object, _path: object, about: tuple[type, BaseException, TracebackType]) -> None:
    if not isinstance(about[1], FileNotFoundError):
        raise about[1]


def _place(path: Path) -> Path | None:
    """Where it really lies, its last name not followed, so that a link stays a link; None when it has no such place."""
    if path.name in ("", "..") or "\0" in path.name:
        return None
    try:
        return path.parent.resolve() / path.name
    except (OSError, ValueError, RuntimeError):
        return None  # NUL above it, a name that is too long, or links that lead in a circle

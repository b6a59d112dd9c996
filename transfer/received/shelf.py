"""Uploads in a folder of the lab's home: each by its name, there as a whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from anyascii import anyascii

from transfer import ids, removal
from transfer.errors import DiskFull, RequestError, UnknownKey

LONGEST_NAME = 40
_STAGING = ".staging-"


def names(place: Path) -> list[str]:
    """The names of all uploads in that folder, oldest first."""
    found = [one for one in place.iterdir() if one.is_dir() and ids.is_id(one.name, LONGEST_NAME)]
    return [one.name for one in sorted(found, key=lambda one: one.stat().st_mtime)]


def where(place: Path, name: str) -> Path:
    """The folder of an upload.

    Raises:
        UnknownKey: there is no upload of that name.
    """
    if not ids.is_id(name, LONGEST_NAME) or not (place / name).is_dir():
        raise UnknownKey("upload", ids.shown(name), names(place))
    return place / name


def remove(place: Path, name: str) -> None:
    """Deletes an upload; runs that used it remain."""
    removal.check(where(place, name))
    gone = Path(tempfile.mkdtemp(dir=place, prefix=f"{_STAGING}{os.getpid()}-"))
    os.replace(where(place, name), gone / name)
    removal.remove(gone)


def suggested(place: Path, file: str, usual: str) -> str:
    """A valid name for an upload, based on its file's name, that is not in use.

    Args:
        place: the folder of all uploads.
        file: name of the file.
        usual: the name where the file's has no letter or digit.
    """
    spoken = anyascii(unicodedata.normalize("NFC", Path(file).stem)).lower()
    name = re.sub(r"[^a-z0-9]+", "_", spoken).strip("_")[:36] or usual
    taken, number = set(names(place)), 2
    tried = name
    while tried in taken:
        tried, number = f"{name}_{number}", number + 1
    return tried


@contextmanager
def staging(place: Path, name: str) -> Iterator[Path]:
    """A temporary folder that becomes the upload at the end; it is deleted if anything goes wrong.

    Raises:
        RequestError: the name is taken, or not allowed.
        DiskFull: the disk is full; nothing is left behind.
    """
    if not ids.is_id(name, LONGEST_NAME):
        raise RequestError(
            "This name is not allowed for an upload.", repr(ids.shown(name)),
            "Use up to 40 lower-case letters, digits, - and _, starting with a letter or digit.",
        )  # fmt: skip
    _clean(place)
    if (place / name).exists():
        raise _taken(place, name)
    folder = Path(tempfile.mkdtemp(dir=place, prefix=f"{_STAGING}{os.getpid()}-"))
    try:
        yield folder
        os.chmod(folder, 0o755)
        try:
            os.rename(folder, place / name)  # fails when another one of that name came first
        except OSError as problem:
            if problem.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES):
                raise _taken(place, name) from None
            raise
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("The lab's disk is full.", None, "Free some space; nothing was stored.") from problem
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _taken(place: Path, name: str) -> RequestError:
    remedy = f"Choose another name, such as {suggested(place, name, 'upload')}."
    return RequestError("An upload of that name already exists.", repr(name), remedy)


def _clean(place: Path) -> None:
    """Removes what is left of uploads whose processes died."""
    for folder in place.glob(f"{_STAGING}*"):
        pid = folder.name.removeprefix(_STAGING).partition("-")[0]
        if not pid.isdigit() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)

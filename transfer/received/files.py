"""Files that may be anything: checked before they are opened, so that no pipe or broken link stops the lab."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Unreadable(Exception):
    """There is no plain file to read; the message says why, in a few words."""


def about(path: Path) -> os.stat_result:
    """Size and modification time of a plain file; links are followed.

    Raises:
        Unreadable: it is not a plain file, is gone, or the system refuses.
    """
    try:
        found = os.stat(path)
    except OSError as problem:
        raise Unreadable(_why(path, problem)) from problem
    except ValueError as problem:  # a NUL in the name
        raise Unreadable("its name is not a valid file name") from problem
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(f"{_KINDS.get(stat.S_IFMT(found.st_mode), 'something')}, not a file")
    return found


def content(path: Path, most: int, what: str = "picture") -> BytesIO:
    """The content of a plain file.

    It is read into memory, not mapped: a mapped file that shrinks in the meantime kills the whole process.

    Args:
        path: of the file.
        most: bytes; a longer file is refused.
        what: it should hold, for the message.

    Raises:
        Unreadable: it is not a plain file, too long, gone, or the system refuses.
    """
    size = about(path).st_size
    if size > most:
        raise Unreadable(f"{size / 1e6:,.0f} MB, more than the limit of {most / 1e6:,.0f} MB for a {what}")
    with opened(path) as file:
        return BytesIO(file.read(most))


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A plain file, open for reading; errors while it is read are reported in the same way.

    Raises:
        Unreadable: it is not a plain file, is gone, or the system refuses.
    """
    about(path)
    try:
        # It may have become a pipe since it was checked: opening that must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unreadable("not a file")
            yield file
    except OSError as problem:
        raise Unreadable(_why(path, problem)) from problem


def _why(path: Path, problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError) and path.is_symlink():
        return "a link to a missing file"
    if isinstance(problem, FileNotFoundError):
        return "it no longer exists"
    return f"cannot be read: {problem.strerror or problem}"

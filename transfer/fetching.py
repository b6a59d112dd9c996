"""Downloads: with their size known beforehand and their progress reported; resumable; never used incomplete.

What has arrived is stored next to the final path with the extension ``.part``. It is moved there only once it is
complete and its checksum is correct.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from transfer import settings
from transfer.errors import DiskFull, DownloadFailed

SILENCE_SECONDS = 60.0
TOLD_SECONDS = 0.2
CHUNK = 1 << 18
TRIES = 5
FULL = (errno.ENOSPC, errno.EDQUOT)

Told = Callable[[str, int, int], None]
_told: ContextVar[Told | None] = ContextVar("told", default=None)


@dataclass(frozen=True)
class Remote:
    """A file published by its authors.

    Args:
        origin: its address.
        name: the name it is stored under; may contain folders.
        digest: its MD5, as given by its publishers and users, or SHA-256; empty if nobody gives one.
        megabytes: its size.
    """

    origin: str
    name: str
    digest: str
    megabytes: float

    def whole(self, path: Path) -> bool:
        """Whether the file at that path is this one; without a checksum, whether there is a file."""
        if not path.is_file():
            return False
        if not self.digest:
            return True
        with path.open("rb") as file:
            kind = "md5" if len(self.digest) == 32 else "sha256"
            return hashlib.file_digest(file, kind).hexdigest() == self.digest


class _Torn(OSError):
    """The connection ended before the file did."""


@contextmanager
def telling(told: Told) -> Iterator[None]:
    """A context that reports every download of this thread: title with size, kilobytes done, kilobytes in total.

    An exception in ``told`` ends the download; what has arrived is kept, and the next attempt resumes there.
    """
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)


def tell(title: str, done: int, total: int) -> None:
    """Reports the progress of a library's own download to those who asked for it (`telling`).

    Args:
        title: what it is, with its size.
        done: kilobytes that have arrived.
        total: kilobytes in total.
    """
    if (told := _told.get()) is not None:
        told(title, done, total)


def fetch(title: str, file: Remote, folder: Path) -> Path:
    """The path of the file in that folder; downloads it if necessary.

    Args:
        title: description for progress and messages ("the data set SVHN").
        file: the file.
        folder: where it is stored; created if missing.

    Raises:
        DownloadFailed: it could not be downloaded, or its checksum is wrong; names its path.
        DiskFull: there is not enough disk space.
    """
    path = folder / file.name
    if file.whole(path):
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # If two runs want the same file, the second waits and then finds it.
        with FileLock(settings.cache("downloads") / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lock"):
            if not file.whole(path):
                _arrive(title, file, part)
                part.replace(path)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno in FULL:
            part.unlink(missing_ok=True)
            raise DiskFull(
                f"There is not enough disk space for {title}.",
                f"{file.megabytes:g} MB for {path.parent}",
                "Free some space there, or point the lab or Keras at a larger disk (TRANSFER_HOME, KERAS_HOME).",
            ) from problem
        raise DownloadFailed(
            f"{title[0].upper()}{title[1:]} ({file.megabytes:g} MB) could not be fetched.",
            str(problem) or type(problem).__name__,
            f"Connect to the internet and try again: it resumes where it broke off. Or download {file.origin} by hand "
            f"and keep it as {path}.",
        ) from problem
    return path


def _arrive(title: str, file: Remote, part: Path) -> None:
    """Downloads the complete file to ``part``; resumes an existing part only once."""
    resumed = part.exists()
    for left in reversed(range(TRIES)):
        before = part.stat().st_size if part.exists() else 0
        try:
            _go_on(title, file, part)
            break
        except _Torn:
            if not left or part.stat().st_size <= before:
                raise
    if file.whole(part):
        return
    part.unlink()
    if resumed:  # the beginning may have come from an older file
        return _arrive(title, file, part)
    raise ValueError(f"the wrong file arrived: its checksum is not {file.digest}")


def _go_on(title: str, file: Remote, part: Path) -> None:
    """Requests the missing part and appends it."""
    have = part.stat().st_size if part.exists() else 0
    asked = urllib.request.Request(file.origin, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(asked, timeout=SILENCE_SECONDS)
    except urllib.error.HTTPError as problem:
        if problem.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # it is complete; the checksum will tell
        raise
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # a server without range support sends the complete file
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else round(file.megabytes * 1e6)
        next_time = 0.0
        with part.open("ab" if have else "wb") as kept:
            while piece := answer.read(CHUNK):
                kept.write(piece)
                have += len(piece)
                if time.monotonic() > next_time or have >= total:
                    tell(f"downloading {title} ({file.megabytes:g} MB)", have >> 10, total >> 10)
                    next_time = time.monotonic() + TOLD_SECONDS
        if length and have < total:
            raise _Torn(f"the connection ended after {have} of {total} bytes")

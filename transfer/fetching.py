"""Files from elsewhere: their size known before, their progress told, resumed where they broke off, never used torn.

What has arrived so far lies beside its place with the ending ``.part``. Only when it is whole, and what its
checksum says, is it moved there.
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
    """A file at its authors' place.

    Args:
        origin: its address.
        name: what it is kept as; may name folders.
        digest: its MD5, as its publishers and users give it, or SHA-256; empty when nobody gives one.
        megabytes: its size.
    """

    origin: str
    name: str
    digest: str
    megabytes: float

    def whole(self, path: Path) -> bool:
        """Whether the file there is this one; without a checksum, whether there is one."""
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
    """Within it every download of this thread is told: its title with its size, kilobytes done, kilobytes in all.

    What ``told`` raises ends the download; what has arrived is kept, and the next attempt goes on from there.
    """
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)


def tell(title: str, done: int, total: int) -> None:
    """Tells those who asked for it (`telling`) how far a download is that a library does.

    Args:
        title: what it is, with its size.
        done: kilobytes that have arrived.
        total: kilobytes in all.
    """
    if (told := _told.get()) is not None:
        told(title, done, total)


def fetch(title: str, file: Remote, folder: Path) -> Path:
    """Where the file lies in that folder, fetched if it is not there.

    Args:
        title: what it is, for progress and messages ("the data set SVHN").
        file: which.
        folder: where it is kept; made when missing.

    Raises:
        DownloadFailed: it could not be fetched, or is not what its checksum says; names its place.
        DiskFull: there is no room for it.
    """
    path = folder / file.name
    if file.whole(path):
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two runs that want the same file: the second waits and finds it.
        with FileLock(settings.cache("downloads") / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.lock"):
            if not file.whole(path):
                _arrive(title, file, part)
                part.replace(path)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno in FULL:
            part.unlink(missing_ok=True)
            raise DiskFull(
                f"There is no room for {title}.",
                f"{file.megabytes:g} MB for {path.parent}",
                "Free some space there, or point the lab or Keras at a larger disk (TRANSFER_HOME, KERAS_HOME).",
            ) from problem
        raise DownloadFailed(
            f"{title[0].upper()}{title[1:]} ({file.megabytes:g} MB) could not be fetched.",
            str(problem) or type(problem).__name__,
            f"Try again with a network: it goes on where it broke off. Or fetch {file.origin} by hand and keep it as "
            f"{path}.",
        ) from problem
    return path


def _arrive(title: str, file: Remote, part: Path) -> None:
    """Brings the whole file to ``part``; on what is there already only once."""
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
    if resumed:  # perhaps the beginning was of an older file
        return _arrive(title, file, part)
    raise ValueError(f"what arrived is not the file asked for: its checksum is not {file.digest}")


def _go_on(title: str, file: Remote, part: Path) -> None:
    """Asks for what is missing and appends it."""
    have = part.stat().st_size if part.exists() else 0
    asked = urllib.request.Request(file.origin, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(asked, timeout=SILENCE_SECONDS)
    except urllib.error.HTTPError as problem:
        if problem.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here; the checksum will tell
        raise
    with answer:
        if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0  # a server that does not know ranges sends it all
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

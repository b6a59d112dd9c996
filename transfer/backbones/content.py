"""The identity of a user's file: the SHA-256 of its content.

Name, size and date are not enough: a network that is trained again may keep all three. The digest of a file
is cached until the system reports a change, by a time stamp that copying with old dates cannot reset.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from transfer import settings, whole_file
from transfer.errors import RequestError

T = TypeVar("T")
Seen = tuple[int, ...]
_TRIES = 3
# Two writes within a tick of the system's clock look like one, so such a recent digest is not cached.
_SETTLED_NS = 2 * 10**9

_known: dict[str, tuple[Seen, str]] = {}


def digest(path: Path) -> str:
    """SHA-256 of the file, 64 hexadecimal digits; fast if it was computed before.

    Raises:
        RequestError: it cannot be read, or is being written to.
        FileNotFoundError: there is no such file.
    """
    place = str(path.resolve())
    seen = _seen(path.stat())
    kept = _known.get(f"{settings.home()} {place}") or _read(place)
    if kept is not None and kept[0] == seen:
        return kept[1]
    for _ in range(_TRIES):
        try:
            with path.open("rb") as file:
                seen = _seen(os.fstat(file.fileno()))
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as problem:
            raise RequestError(
                "The file cannot be read.", f"{path}: {problem.strerror}", "Check the file and its permissions."
            ) from problem
        if _seen(path.stat()) == seen:
            _keep(place, seen, found)
            return found
    raise RequestError("The file is being changed.", str(path), "Try again once it is complete.")


def together(root: Path, files: Sequence[Path]) -> str:
    """One digest for several files below a folder, including their names."""
    words = [f"{file.relative_to(root).as_posix()} {digest(file)}" for file in files]
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def guarded(work: Callable[..., T], now: Callable[[], str], expected: str, named: str) -> Callable[..., T]:
    """Wraps a function so that it raises if the content has changed before or after the call.

    A backbone that was opened minutes ago either returns the weights of that time or raises.

    Args:
        work: the function, which reads the files.
        now: returns the digest of their current content.
        expected: the digest when they were chosen.
        named: the files, in words.
    """

    def done(*given: object, **options: object) -> T:
        compare(expected, now(), named)
        made = work(*given, **options)
        compare(expected, now(), named)
        return made

    return done


def compare(expected: str, now: str, named: str) -> None:
    """Raises `RequestError` if the content has changed.

    Args:
        expected: its earlier digest.
        now: its current digest.
        named: name of the file or folder.
    """
    if now != expected:
        raise RequestError(
            "This began with a different network file: its content has changed since.",
            f"{named} with SHA-256 {now[:16]}, not {expected[:16]}",
            "Put the old file back, or start a new run with this one.",
        )


def _seen(about: os.stat_result) -> Seen:
    """Values that change with every modification; the last, the change time, cannot be set by hand."""
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _file(place: str) -> Path:
    name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:40]
    return settings.cache("digests") / f"{name}.json"


def _read(place: str) -> tuple[Seen, str] | None:
    try:
        kept = json.loads(_file(place).read_text())
        return tuple(kept["seen"]), str(kept["digest"])
    except (OSError, ValueError, KeyError):
        return None


def _keep(place: str, seen: Seen, found: str) -> None:
    if time.time_ns() - seen[-1] < _SETTLED_NS:
        return
    _known[f"{settings.home()} {place}"] = seen, found
    whole_file.write(_file(place), json.dumps({"seen": seen, "digest": found}))

"""All pictures of a data set, decoded once into one file on disk, with a file of facts about each beside it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock

from transfer import settings
from transfer.errors import DiskFull
from transfer.pictures.alike import FINGERPRINT, fingerprint
from transfer.pictures.formats import BadPicture
from transfer.pictures.kept import Pictures
from transfer.received import telling

LAYOUT = 2
_PIXELS, _FACTS, _ABOUT = "pixels.bin", "facts.npz", "about.json"
_AHEAD = 4
_TELL_EVERY = 25

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Pack:
    """Decoded pictures on disk.

    Args:
        folder: where they are.
        shape: (height, width, channels) of each.
        names: of those that could be decoded, in order.
        bad: name and reason of those that could not.
        identity: SHA-256 of all pixels.
        facts: by name, one row per picture: ``place`` among those requested, ``digest`` and ``thumbnail``.
    """

    folder: Path
    shape: tuple[int, int, int]
    names: list[str]
    bad: list[tuple[str, str]]
    identity: str
    facts: dict[str, np.ndarray]

    def pictures(self, places: np.ndarray) -> Pictures:
        """Some of them, to be read on demand."""
        return Pictures(self.folder / _PIXELS, self.shape, places, self.identity)


def packed(stamp: str, shape: tuple[int, int, int], names: Sequence[str], picture: Callable[[int], np.ndarray]) -> Pack:
    """The pack with that stamp, from disk or made now; one process makes it, others wait for it.

    Args:
        stamp: changes whenever the pictures do.
        shape: (height, width, channels) of each.
        names: their names.
        picture: returns the picture at a place, uint8; called in several threads, a few pictures ahead. A
            `BadPicture` is noted with its name and left out.

    Raises:
        DiskFull: the disk is full; nothing is left behind.
    """
    folder = place(stamp, shape)
    found = read(folder)
    if found is None:
        with FileLock(folder.with_suffix(".lock")):
            found = read(folder)
            if found is None:
                _room(len(names) * int(np.prod(shape)))
                _make(folder, shape, names, picture)
                found = read(folder)
                _prune(folder)
    assert found is not None, "it has just been written"
    os.utime(folder)
    return found


def place(stamp: str, shape: tuple[int, int, int]) -> Path:
    """Where the pack with that stamp is, or will be."""
    key = hashlib.sha256(f"{LAYOUT} {FINGERPRINT} {stamp} {shape}".encode()).hexdigest()[:40]
    return settings.cache("pictures") / key


def read(folder: Path) -> Pack | None:
    """The pack in that folder, or None if there is no complete one."""
    try:
        about = json.loads((folder / _ABOUT).read_text())
        with np.load(folder / _FACTS, allow_pickle=False) as stored:
            facts = {name: stored[name] for name in stored.files}
        shape: tuple[int, int, int] = tuple(about["shape"])
        if (folder / _PIXELS).stat().st_size != len(about["names"]) * int(np.prod(shape)):
            return None
    except (OSError, ValueError, KeyError):
        return None
    bad = [(name, why) for name, why in about["bad"]]
    return Pack(folder, shape, about["names"], bad, about["identity"], facts)


def ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[Callable[[], R]]:
    """The results in order, as calls that return or raise them; a few are computed while one is waited for."""
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads, "pictures") as pool:
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= threads + _AHEAD:
                yield waiting.popleft().result
        while waiting:
            yield waiting.popleft().result


def _make(
    folder: Path, shape: tuple[int, int, int], names: Sequence[str], picture: Callable[[int], np.ndarray]
) -> None:
    """Writes the pack beside its place and moves it there."""
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix="part-"))
    try:
        about, facts = _write(temporary / _PIXELS, names, picture)
        (temporary / _ABOUT).write_text(json.dumps({"shape": shape, **about}))
        # The stubs mistake the names for savez' own arguments.
        np.savez(temporary / _FACTS, **facts)  # type: ignore[arg-type]  # numpy: no pickle flag
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full() from problem
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(
    pixels: Path, names: Sequence[str], picture: Callable[[int], np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    digest = hashlib.sha256()
    good: list[int] = []
    bad: list[tuple[str, str]] = []
    rows: list[tuple[bytes, np.ndarray]] = []

    def work(place: int) -> tuple[np.ndarray, bytes, np.ndarray]:
        found = np.ascontiguousarray(picture(place))
        return found, *fingerprint(found)

    with pixels.open("wb") as file:
        for place, result in enumerate(ahead(work, range(len(names)))):
            try:
                found, exact, thumbnail = result()
            except BadPicture as problem:
                bad.append((names[place], str(problem)))
                continue
            finally:
                if place % _TELL_EVERY == 0 or place + 1 == len(names):
                    telling.progress("decoding the pictures", place + 1, len(names))
            file.write(found.data)
            digest.update(found.data)
            good.append(place)
            rows.append((exact, thumbnail))
    about = {"names": [names[place] for place in good], "bad": bad, "identity": digest.hexdigest()}
    thumbnails = np.stack([row[1] for row in rows]) if rows else np.zeros((0, 16, 16), "uint8")
    exact_digests = np.array([np.frombuffer(row[0], "uint64")[0] for row in rows], "uint64")
    return about, {"place": np.array(good, "int64"), "digest": exact_digests, "thumbnail": thumbnails}


def _room(needed: int) -> None:
    """Reports a full disk before an hour of decoding, not after it."""
    if shutil.disk_usage(settings.cache("pictures")).free < needed:
        raise _full(needed)


def _full(needed: int = 0) -> DiskFull:
    size = f"{needed / 2**30:.1f} GB for the decoded pictures, in " if needed else ""
    remedy = "Free some space there, set TRANSFER_HOME to another disk, or lower TRANSFER_PICTURE_SIZE."
    return DiskFull("The disk is full.", f"{size}{settings.cache('pictures')}", remedy)


def _prune(newest: Path) -> None:
    """Deletes the packs unused for longest once all of them exceed their limit; never the one just made."""
    packs = [one for one in settings.cache("pictures").iterdir() if one.is_dir() and (one / _ABOUT).exists()]
    room = settings.pictures_bytes()
    for folder in sorted(packs, key=lambda one: one.stat().st_mtime, reverse=True):
        room -= sum(file.stat().st_size for file in folder.iterdir())
        if room < 0 and folder != newest:
            shutil.rmtree(folder, ignore_errors=True)

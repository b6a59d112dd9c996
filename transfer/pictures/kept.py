"""Pictures that stay on disk and are read on demand: they behave like an array and take no memory."""

from __future__ import annotations

import hashlib
import os
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np


class Pictures:
    """Some of the decoded pictures in a file, in an order of their own.

    Indexing with numbers, slices or arrays reads just those pictures and returns an array; `rows` selects without
    reading. It uses plain reads, not a memory map: mapped pages would count as the process's memory.

    Args:
        path: all pictures one after another, uint8.
        shape: (height, width, channels) of each.
        places: which of them, shape (n,).
        identity: changes whenever a pixel in the file does; keys the caches.
    """

    dtype = np.dtype("uint8")
    ndim = 4

    def __init__(self, path: Path, shape: tuple[int, int, int], places: np.ndarray, identity: str) -> None:
        self.path, self.places, self._whole = path, np.asarray(places, "int64"), identity
        self.shape = (len(self.places), *shape)
        _opened(path)  # now: the file may be deleted before the first picture is needed

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, key: Any) -> np.ndarray:
        if isinstance(key, tuple):
            first, *rest = key
            read = self[first]
            return read[tuple(rest) if isinstance(first, int | np.integer) else (slice(None), *rest)]
        wanted = self.places[key]
        if np.ndim(wanted) == 0:
            return self._read(np.asarray([wanted]))[0]
        return self._read(wanted)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """All of them in memory; for small sets."""
        return self._read(self.places).astype(dtype or self.dtype, copy=False)

    def rows(self, key: Any) -> Pictures:
        """Some of them, not yet read."""
        return Pictures(self.path, self.shape[1:], self.places[key], self._whole)

    @cached_property
    def identity(self) -> str:
        """Equal texts mean equal pixels in equal order."""
        return hashlib.sha256(self._whole.encode() + self.places.tobytes()).hexdigest()

    def _read(self, places: np.ndarray) -> np.ndarray:
        found = np.empty((len(places), *self.shape[1:]), "uint8")
        size = int(np.prod(self.shape[1:]))
        handle = _opened(self.path)
        for picture, place in zip(found, places.tolist(), strict=True):
            _fill(handle, picture.data.cast("B"), place * size)
        return found


_handles: dict[tuple[str, int], int] = {}
_lock = threading.Lock()


def _opened(path: Path) -> int:
    """One handle per file and process; it stays open, so that a file deleted meanwhile can be read to the end."""
    key = str(path), os.getpid()
    with _lock:
        if key not in _handles:
            _handles[key] = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return _handles[key]


def _fill(handle: int, into: memoryview, offset: int) -> None:
    """Reads until the buffer is full; several threads may read at once."""
    done = 0
    while done < len(into):
        if hasattr(os, "preadv"):
            got = os.preadv(handle, [into[done:]], offset + done)
        else:
            with _lock:
                os.lseek(handle, offset + done, os.SEEK_SET)
                piece = os.read(handle, len(into) - done)
            got = len(piece)
            into[done : done + got] = piece
        if not got:
            raise OSError(f"a file of decoded pictures is shorter than it was (wanted {len(into)} bytes at {offset})")
        done += got

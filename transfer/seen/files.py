"""Fingerprints of the files of the user's pictures, cached as long as no file changes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from transfer import settings, whole_file
from transfer.pictures.own import Looked
from transfer.pictures.pack import ahead
from transfer.seen.prints import UNKNOWN, digest

# As much as may be read while a user waits: a third of a second from a slow disk.
QUICK_BYTES = 64 * 2**20


def fingerprints(seen: Looked, quick: bool = False) -> dict[str, int] | None:
    """The fingerprint of each picture's file, by name; 0 for a file that cannot be read.

    Args:
        seen: the folder.
        quick: whether to give up and return None if much would have to be read.
    """
    files = seen.listing.files
    place = _place(seen)
    try:
        kept = np.load(place, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        kept = None
    if kept is None or len(kept) != len(files):
        if quick and sum(one.size for one in files) > QUICK_BYTES:
            return None
        root = seen.listing.root
        found = ahead(lambda one: _read(root / one.name), files)
        kept = np.array([result() for result in found], "uint64")
        whole_file.write(place, lambda file: np.save(file, kept))
    return dict(zip((one.name for one in files), kept.tolist(), strict=True))


def _read(path: Path) -> int:
    try:
        return digest(path.read_bytes())
    except OSError:
        return UNKNOWN  # it has just vanished: equal to no other


def _place(seen: Looked) -> Path:
    return settings.cache("files") / f"{hashlib.sha256(seen.listing.stamp.encode()).hexdigest()[:40]}.npy"

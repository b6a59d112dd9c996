"""Recognises pictures by content: a fingerprint of the pixels and one of the file, whatever the file's name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

UNKNOWN = 0


@dataclass(frozen=True)
class Prints:
    """Fingerprints of several pictures. Two pictures are the same when their pixels or their files are.

    Files match whatever size pictures are cached at; pixels match if a file was only saved again.

    Args:
        pixels: fingerprint of each picture as the lab caches it, uint64, shape (n,); 0 if unknown.
        files: fingerprint of each file's bytes, likewise; 0 if there is no file.
        names: names of the files; empty if there are none.
    """

    pixels: np.ndarray
    files: np.ndarray
    names: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, places: np.ndarray) -> Prints:
        """The fingerprints at these indices, in this order."""
        names = tuple(self.names[place] for place in places.tolist()) if self.names else ()
        return Prints(self.pixels[places], self.files[places], names)

    def among(self, *others: Prints) -> np.ndarray:
        """Which of the pictures are among the others, bool, shape (n,)."""
        found = np.zeros(len(self), dtype=bool)
        for other in others:
            found |= _within(self.pixels, other.pixels) | _within(self.files, other.files)
        return found

    def place_of(self, other: Prints) -> np.ndarray:
        """For each picture, an index in ``other`` with the same picture, or -1 if there is none; shape (n,)."""
        found = np.full(len(self), -1)
        for own, theirs in ((self.files, other.files), (self.pixels, other.pixels)):
            places = {value: place for place, value in enumerate(theirs.tolist()) if value != UNKNOWN}
            several = np.array([places.get(value, -1) for value in own.tolist()], dtype=np.int64)
            found = np.where(several >= 0, several, found)
        return found


def of_arrays(samples: Iterable[np.ndarray]) -> Prints:
    """Fingerprints of samples that are arrays, from their bytes."""
    found = np.array([digest(np.ascontiguousarray(one).data) for one in samples], "uint64")
    return Prints(found, np.zeros(len(found), "uint64"))


def of_texts(texts: Iterable[str]) -> Prints:
    """Fingerprints of texts; two that differ in case and spaces only are the same."""
    found = np.array([digest(" ".join(one.casefold().split()).encode()) for one in texts], "uint64")
    return Prints(found, np.zeros(len(found), "uint64"))


def digest(content: bytes | memoryview) -> int:
    """An eight-byte hash of the content, as a number above 0."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") or 1


def joined(several: list[Prints]) -> Prints:
    """All of them, concatenated."""
    names = tuple(name for one in several for name in one.names)
    return Prints(
        np.concatenate([one.pixels for one in several] or [np.zeros(0, "uint64")]),
        np.concatenate([one.files for one in several] or [np.zeros(0, "uint64")]),
        names if len(names) == sum(map(len, several)) else (),
    )


Parts = Mapping[str, Prints]


def _within(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return np.isin(own, theirs) & (own != UNKNOWN)

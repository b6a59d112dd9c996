"""Reads character vectors from the lazy-load database of an R package, without R.

An index (``Rdata.rdx``) says where in ``Rdata.rdb`` each object lies; both hold R's binary serialization, compressed.
Only the few types that an index and a vector of strings consist of are understood.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

_NIL, _GLOBAL, _REFERENCE = 254, 253, 255
_SYMBOL, _PAIRS, _STRING, _LOGICALS, _INTEGERS, _STRINGS, _LIST = 1, 2, 9, 10, 13, 16, 19
_HAS_ATTRIBUTES, _HAS_TAG = 0x200, 0x400


class _Reader:
    """One serialized object, read from its beginning."""

    def __init__(self, content: bytes) -> None:
        assert content[:2] == b"X\n", "R's binary format is the only one that is understood"
        self.content, self.at = content, 14
        self.symbols: list[Any] = []
        if content[2:6] == b"\0\0\0\3":
            self.at += 4 + struct.unpack_from(">i", content, self.at)[0]  # version 3 names its encoding

    def whole(self) -> int:
        (found,) = struct.unpack_from(">i", self.content, self.at)
        self.at += 4
        return int(found)

    def item(self) -> Any:
        flags = self.whole()
        kind = flags & 0xFF
        if kind in (_NIL, _GLOBAL):
            return None
        if kind == _REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == _SYMBOL:
            self.symbols.append(self.item())
            return self.symbols[-1]
        if kind == _PAIRS:
            return self.pairs(flags)
        length = self.whole()
        if kind == _STRING:
            self.at += max(length, 0)
            return None if length < 0 else self.content[self.at - length : self.at].decode("utf-8")
        if kind in (_LOGICALS, _INTEGERS):
            found: list[Any] = [self.whole() for _ in range(length)]
        elif kind in (_STRINGS, _LIST):
            found = [self.item() for _ in range(length)]
        else:
            raise ValueError(f"R's type {kind} is not understood")
        names = (self.item() or {}).get("names") if flags & _HAS_ATTRIBUTES else None
        return dict(zip(names, found, strict=True)) if names else found

    def pairs(self, flags: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while flags & 0xFF == _PAIRS:
            assert flags & _HAS_TAG and not flags & _HAS_ATTRIBUTES
            name = self.item()
            found[name] = self.item()
            flags = self.whole()
        return found


def string_vectors(data: Path) -> dict[str, list[str]]:
    """The character vectors of a package by name, from the folder that holds ``Rdata.rdx`` and ``Rdata.rdb``."""
    index = _Reader(zlib.decompress((data / "Rdata.rdx").read_bytes(), 31)).item()
    stored = (data / "Rdata.rdb").read_bytes()
    # Each object is preceded by four bytes with its length.
    places = {name: (begin + 4, begin + size) for name, (begin, size) in index["variables"].items()}
    return {name: _Reader(zlib.decompress(stored[begin:end])).item() for name, (begin, end) in places.items()}

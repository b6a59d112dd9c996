"""Texts in memory as one row of bytes: they are chosen and compared like an array, whatever their lengths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np


class Texts:
    """Some texts, in a fixed order.

    Indexing with a number gives a text, with a slice or an array some of them, as `Texts` again.

    Args:
        content: all texts one after another, UTF-8, uint8.
        ends: where each of them ends in ``content``, int64, shape (n,), never falling.
    """

    dtype = np.dtype("object")
    ndim = 1

    def __init__(self, content: np.ndarray, ends: np.ndarray) -> None:
        self.content, self.ends = np.asarray(content, "uint8"), np.asarray(ends, "int64")
        self.shape = (len(self.ends),)

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """From strings; half of a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
        encoded = [one.encode("utf-8", "replace") for one in texts]
        ends = np.cumsum([len(one) for one in encoded], dtype="int64")
        return cls(np.frombuffer(b"".join(encoded), "uint8"), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int | np.integer):
            return str(self.content[self._begins[key] : self.ends[key]].tobytes(), "utf-8")
        return self.rows(key)

    def __iter__(self) -> Iterator[str]:
        return (self[place] for place in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """The texts as Python strings."""
        found = np.empty(len(self), "object")
        found[:] = list(self)
        return found

    def rows(self, key: Any) -> Texts:
        """Some of them, in the order asked for."""
        begins, ends = self._begins[key], self.ends[key]
        pieces = [self.content[begin:end] for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]
        return Texts(np.concatenate(pieces or [self.content[:0]]), np.cumsum(ends - begins))

    @cached_property
    def identity(self) -> str:
        """Equal words mean equal texts in equal order."""
        return hashlib.sha256(self.ends.tobytes() + self.content.tobytes()).hexdigest()

    @cached_property
    def _begins(self) -> np.ndarray:
        return np.concatenate([np.zeros(1, "int64"), self.ends[:-1]]) if len(self.ends) else self.ends

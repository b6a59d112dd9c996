"""What is said while pictures are decoded: whoever asked for them hears it, however deep the call lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[int, int], None]
Remark = Callable[[str], None]

_listener: ContextVar[tuple[Progress, Remark] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(progress: Progress, remark: Remark) -> Iterator[None]:
    """Within, ``progress(done, total)`` and ``remark(sentence)`` are called as pictures are decoded."""
    token = _listener.set((progress, remark))
    try:
        yield
    finally:
        _listener.reset(token)


def progress(done: int, total: int) -> None:
    """So many of the pictures are decoded."""
    if (listener := _listener.get()) is not None:
        listener[0](done, total)


def remark(sentence: str) -> None:
    """Something a person should know."""
    if (listener := _listener.get()) is not None:
        listener[1](sentence)

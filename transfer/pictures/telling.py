"""Progress and remarks while pictures are decoded: they reach whoever asked for them, however deep the call is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[int, int], None]
Remark = Callable[[str], None]

_listener: ContextVar[tuple[Progress, Remark] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(progress: Progress, remark: Remark) -> Iterator[None]:
    """Inside it, ``progress(done, total)`` and ``remark(sentence)`` are called as pictures are decoded."""
    token = _listener.set((progress, remark))
    try:
        yield
    finally:
        _listener.reset(token)


def progress(done: int, total: int) -> None:
    """Reports how many of the pictures are decoded."""
    if (listener := _listener.get()) is not None:
        listener[0](done, total)


def remark(sentence: str) -> None:
    """Reports something that people should know."""
    if (listener := _listener.get()) is not None:
        listener[1](sentence)

"""Progress and remarks while files are decoded: they reach whoever asked for them, however deep the call is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Progress = Callable[[str, int, int], None]
Remark = Callable[[str], None]

_listener: ContextVar[tuple[Progress, Remark] | None] = ContextVar("listener", default=None)


@contextmanager
def listening(progress: Progress, remark: Remark) -> Iterator[None]:
    """Inside it, ``progress(doing, done, total)`` and ``remark(sentence)`` are called as files are decoded."""
    token = _listener.set((progress, remark))
    try:
        yield
    finally:
        _listener.reset(token)


def progress(doing: str, done: int, total: int) -> None:
    """Reports how many of the files are decoded, and in words what is being done."""
    if (listener := _listener.get()) is not None:
        listener[0](doing, done, total)


def remark(sentence: str) -> None:
    """Reports something that people should know."""
    if (listener := _listener.get()) is not None:
        listener[1](sentence)

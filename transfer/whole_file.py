"""Writes a file as a whole: whoever reads it finds all of it, or what was there before."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def aside(path: Path, ending: str = ".part") -> Iterator[Path]:
    """A new path in the same folder to write to. It is moved to ``path`` when the block ends, removed if it fails.

    Two processes may write the same file at once: each has a path of its own, and the last one stays.

    Args:
        path: of the file; its folder is made when missing.
        ending: of the new path, for writers that ask for a certain one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}{ending}")
    try:
        yield beside
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write(path: Path, content: str | bytes | Callable[[IO[bytes]], object]) -> None:
    """Writes the content: text as UTF-8, bytes, or what a function puts into the open file."""
    with aside(path) as beside, beside.open("xb") as file:
        if callable(content):
            content(file)
        else:
            file.write(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)

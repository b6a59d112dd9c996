"""Named arrays on disk: written whole or not at all, and never trusted when damaged."""

from __future__ import annotations

import errno
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from transfer import whole_file
from transfer.errors import DiskFull

# What zipfile and NumPy raise of bytes that are not what was written.
DAMAGES = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    tokenize.TokenError,
    SyntaxError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
)


class Damaged(Exception):
    """The file is not what was written; whoever reads it computes it anew."""


def write(path: Path, named: Mapping[str, np.ndarray]) -> None:
    """Writes an .npz; a reader sees all or nothing.

    Raises:
        DiskFull: there is no room; nothing is left behind.
    """
    arrays = {name: np.asarray(value) for name, value in named.items()}
    try:
        # The stubs take the names for savez' own arguments.
        whole_file.write(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]  # numpy: no pickle flag
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "The disk is full.",
                str(path.parent),
                "Free some space there, or set TRANSFER_HOME to another disk; then resume.",
            ) from problem
        raise


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays that `write` wrote; every entry's checksum is verified.

    Raises:
        Damaged: the file is cut short or altered.
        FileNotFoundError: there is none.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except DAMAGES as problem:
        raise Damaged(str(path)) from problem
    except OSError as problem:
        if problem.errno == errno.EINVAL:  # a damaged directory of the archive points before the file's beginning
            raise Damaged(str(path)) from problem
        raise

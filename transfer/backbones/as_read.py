"""Which version of the file reader a run used, so that its network is reopened in the same way.

The reader decides where a network is cut, what it is fed and in which order its weights are stored. A run therefore
notes which reader it used; a run without a note is older than these notes.
"""

from __future__ import annotations

from typing import Any

from transfer.backbones import own_file, saved_model

READING = 2
_OWN = (f"{own_file.PREFIX}:", f"{saved_model.PREFIX}:")


def own(key: str) -> bool:
    """Whether the backbone with that key is read from a user's file or folder."""
    return key.startswith(_OWN)


def noted(key: str) -> str:
    """A suffix for cache keys, which separates a network's weights under different readers."""
    return f" reading {READING}" if own(key) else ""


def as_read(key: str, noted: Any) -> str:
    """The key for opening a run's backbone as that run opened it.

    Args:
        key: the key in the run's experiment.
        noted: the reader that the run noted; None if it noted none.
    """
    return key if noted is not None or not own(key) else f"{key}@reading={own_file.OLD_READING}"

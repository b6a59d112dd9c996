"""Which way of reading a network's file a run was made with, so that it is opened again as it was made.

How a file is read decides where the network is cut, what it is fed and in which order its weights lie. A run therefore
notes the reading it was made with; one without a note is older than the notes.
"""

from __future__ import annotations

from typing import Any

from transfer.backbones import saved, saved_model

READING = 2
_OWN = (f"{saved.PREFIX}:", f"{saved_model.PREFIX}:")


def own(key: str) -> bool:
    """Whether the backbone of that key is read from a person's file or folder."""
    return key.startswith(_OWN)


def noted(key: str) -> str:
    """What tells apart the weights that a network came to under one reading from those under another; for caches."""
    return f" reading {READING}" if own(key) else ""


def as_read(key: str, noted: Any) -> str:
    """The key of a run's backbone, to be opened as that run opened it.

    Args:
        key: as the run's experiment has it.
        noted: the reading the run noted, None when it noted none.
    """
    return key if noted is not None or not own(key) else f"{key}@reading={saved.OLD_READING}"

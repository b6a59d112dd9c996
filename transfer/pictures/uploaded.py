"""Where uploaded pictures lie."""

from __future__ import annotations

from pathlib import Path

from transfer import settings
from transfer.received import shelf


def place() -> Path:
    """The folder of all uploads; created if missing."""
    folder = settings.home() / "uploads"
    folder.mkdir(exist_ok=True)
    return folder


def where(name: str) -> Path:
    """The folder of an upload.

    Raises:
        UnknownKey: there is no upload of that name.
    """
    return shelf.where(place(), name)

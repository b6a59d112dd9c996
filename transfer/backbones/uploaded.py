"""Networks uploaded through a browser: stored in the lab's home and never changed afterwards."""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import count
from pathlib import Path

from filelock import FileLock

from transfer import settings, whole_file
from transfer.backbones import content, own_file

_LONGEST = 80
_KEPT = " ._-+()"


def safe_name(name: str) -> str:
    """The file name of an upload: without folders, and without characters that a key reads as a setting."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = "".join(one if one.isalnum() or one in _KEPT else "_" for one in last).lstrip(". ")
    stem, dot, ending = plain.rpartition(".")
    short = (stem or "network").encode()[:_LONGEST].decode(errors="ignore")
    return (
        f"{short}.{ending[:_LONGEST]}" if dot else plain.encode()[:_LONGEST].decode(errors="ignore") or "network.keras"
    )


def keep(name: str, held: bytes) -> Path:
    """Stores an uploaded file under its name, or with a number added if another network has that name.

    An existing file is never changed, because runs started from it. Equal contents are stored once.

    Args:
        name: the name given by the browser.
        held: the complete content.
    """
    wanted, digest = Path(safe_name(name)), hashlib.sha256(held).hexdigest()
    with FileLock(settings.cache("downloads") / "networks.lock"):
        for number in count(1):
            path = own_file.place() / (wanted.name if number == 1 else f"{wanted.stem}_{number}{wanted.suffix}")
            if not path.exists() and not path.is_symlink():
                whole_file.write(path, held)
                return path
            if path.is_file() and content.digest(path) == digest:
                return path
    raise AssertionError("numbers do not end")

"""What a person has said of how a folder is to be read; kept for the next time."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from transfer import settings, whole_file
from transfer.errors import RequestError
from transfer.pictures.layout.typed import Corrections

# Hidden: it is no data, and none can come with an upload.
FILE = ".reading.json"


def kept(folder: Path) -> Corrections:
    """What was said of the folder, nothing when nothing was.

    It is kept in the folder itself, as ``.reading.json``, or in the lab's home, which comes first.

    Raises:
        RequestError: what is kept cannot be read.
    """
    for path in (_at_home(folder), folder / FILE):
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as problem:
            raise _unreadable(f"{path.name}: {problem}") from None
        if not isinstance(said, dict):
            raise _unreadable(f"{path.name} holds no names and values")
        return Corrections(**said)
    return Corrections()


def _unreadable(received: str) -> RequestError:
    return RequestError(
        "What was said of this folder cannot be read.", received,
        "Say it again, or forget it: `python -m transfer understand FOLDER --afresh`.",
    )  # fmt: skip


def keep(folder: Path, said: Corrections) -> None:
    """Keeps what was said of the folder; nothing said forgets what was.

    Of an upload it is kept with its files, and goes with them.
    """
    ours = folder.resolve().is_relative_to((settings.home() / "uploads").resolve())
    path = folder / FILE if ours else _at_home(folder)
    if not said.given:
        path.unlink(missing_ok=True)
        return
    whole_file.write(path, json.dumps(said.given))


def _at_home(folder: Path) -> Path:
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:20]
    return settings.home() / "readings" / f"{name}.json"

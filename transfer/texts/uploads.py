"""Texts uploaded through a browser: their files, and the columns that were chosen, stored as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO

from transfer import settings, whole_file
from transfer.received import shelf
from transfer.received.archive_names import safe
from transfer.received.upload_limits import Budget, count, within
from transfer.texts import own
from transfer.texts.files import reading
from transfer.texts.files.typed import Choices

_FILES, _CHOICES = "files", "choices.json"
_PIECE = 2**20


def place() -> Path:
    """The folder of all uploads of texts; created if missing."""
    folder = settings.home() / "own_texts"
    folder.mkdir(exist_ok=True)
    return folder


def names() -> list[str]:
    """The names of all uploads, oldest first."""
    return shelf.names(place())


def where(name: str) -> Path:
    """The file of an upload, or the folder of its files.

    Raises:
        UnknownKey: there is no upload of that name.
    """
    folder = shelf.where(place(), name) / _FILES
    files = list(folder.iterdir()) if folder.is_dir() else []
    return files[0] if len(files) == 1 else folder


def choices(name: str) -> Choices:
    """The columns that were chosen for an upload; none where nobody chose."""
    try:
        kept = json.loads((shelf.where(place(), name) / _CHOICES).read_text())
        return Choices(tuple(kept["text"]), kept["label"], kept["split"])
    except (OSError, ValueError, KeyError, TypeError):
        return Choices()


def choose(name: str, wanted: Choices) -> None:
    """Keeps the columns that a person has chosen for an upload."""
    whole_file.write(shelf.where(place(), name) / _CHOICES, json.dumps(asdict(wanted)))


def remove(name: str) -> None:
    """Deletes an upload with its texts; runs that used it remain."""
    own.afresh()  # another with the same name may follow at once
    shelf.remove(place(), name)


def suggested(file: str) -> str:
    """A valid name for an upload, based on its file's name, that is not in use."""
    return shelf.suggested(place(), file, "texts")


def looked(files: Mapping[str, IO[bytes]], chosen: Choices) -> own.Known:
    """What is in files that are not kept yet.

    Raises:
        RequestError: they are refused, or hold nothing that could be learned.
    """
    _allowed(files)
    return own.known(reading.from_files(files, chosen))


def take(name: str, files: Mapping[str, IO[bytes]], chosen: Choices) -> own.Known:
    """Keeps files of texts.

    Args:
        name: of the new data set.
        files: by their names, seekable.
        chosen: columns; empty fields are found out.

    Raises:
        RequestError: they are refused, or hold nothing that could be learned; nothing is left behind.
        DiskFull: the disk is full; nothing is left behind.
    """
    found = looked(files, chosen)
    budget = Budget(settings.upload_megabytes() * 10**6)
    with shelf.staging(place(), name) as folder:
        for given, file in files.items():
            goal = folder / _FILES / safe(given)
            goal.parent.mkdir(parents=True, exist_ok=True)
            file.seek(0)
            with goal.open("xb") as written:
                while piece := file.read(_PIECE):
                    budget.spend(len(piece))
                    written.write(piece)
        (folder / _CHOICES).write_text(json.dumps(asdict(chosen)))
    own.afresh()
    return found


def _allowed(files: Mapping[str, IO[bytes]]) -> None:
    """Refuses files that are too many, too large, or whose names lead out."""
    count(len(files))
    size = sum(one.seek(0, 2) for one in files.values())
    within(size, settings.upload_megabytes(), "The upload is too large.", "TRANSFER_UPLOAD_MB")
    for name in files:
        safe(name)

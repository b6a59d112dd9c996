"""Pictures uploaded through a browser: an archive or many files, stored as a whole or not at all.

Uploads come from strangers. They are unpacked to a temporary folder under limits that are settings, every name and
every picture is checked, and only then the folder is moved to its place; if anything is refused, nothing remains.
"""

from __future__ import annotations

import json
import os
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from transfer import settings
from transfer.errors import RequestError
from transfer.pictures import own
from transfer.pictures.folders import hidden, listing
from transfer.pictures.formats import BadPicture, header, unfit
from transfer.pictures.layout.kept import keep
from transfer.pictures.layout.sheet import ENDINGS as TABLES
from transfer.pictures.layout.sheet import SHEETS
from transfer.pictures.layout.typed import Corrections
from transfer.pictures.layout.understanding import NOTHING
from transfer.pictures.uploaded import place, where
from transfer.received import shelf
from transfer.received.archive_names import ARCHIVES, is_folder, kind_of, letters, refused, safe
from transfer.received.upload_limits import SMALL, Budget, count, declared, entries, within

_PIECE = 2**20
# Hidden, so that it is not read as data and cannot be part of an upload.
_LEFT_OUT = ".left_out.json"

Progress = Callable[[int, int], None]


@dataclass
class Received:
    """The result of an upload.

    Args:
        name: its data set is ``upload:<name>``.
        pictures: how many were stored.
        left_out: name and reason of files that were not.
        said: how its names and folders were understood, in plain sentences.
    """

    name: str
    pictures: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    said: tuple[str, ...] = ()


def names() -> list[str]:
    """The names of all uploads, oldest first."""
    return shelf.names(place())


def remove(name: str) -> None:
    """Deletes an upload with its pictures; runs that used it remain."""
    own.afresh()  # another with the same name may follow at once
    shelf.remove(place(), name)


def left_out(name: str) -> list[tuple[str, str]]:
    """Name and reason of each file that was left out of an upload."""
    try:
        return [(file, why) for file, why in json.loads((where(name) / _LEFT_OUT).read_text())]
    except (OSError, ValueError):
        return []


def suggested(file: str) -> str:
    """A valid name for an upload, based on its file's name, that is not in use."""
    return shelf.suggested(place(), file, "pictures")


def take_archive(
    name: str,
    archive: IO[bytes],
    told: Progress = lambda done, total: None,
    corrections: Corrections = NOTHING,
) -> Received:
    """Stores a zip: one folder per class, or pictures with ``labels.csv``.

    Args:
        name: of the new data set.
        archive: the file, seekable.
        told: called with (done, total) files.
        corrections: how the user wants it understood.

    Raises:
        RequestError: the archive is refused, or contains nothing to train on; nothing is left behind.
        DiskFull: the disk is full; nothing is left behind.
    """
    size = archive.seek(0, os.SEEK_END)
    within(size, settings.upload_megabytes(), "The upload is too large.", "TRANSFER_UPLOAD_MB")
    count(entries(archive))
    try:
        with zipfile.ZipFile(archive) as opened, _staging(name, corrections) as (folder, received):
            found = opened.infolist()
            declared([one for one in found if not one.is_dir()], size)
            meant, said = letters(found)
            received.said = (said,) if said else ()
            members = [pair for pair in zip(found, meant, strict=True) if not is_folder(pair[1])]
            budget = Budget(max(SMALL, size * settings.upload_ratio()))
            taken = _Taken(folder, received, budget)
            for done, (one, path) in enumerate(members, start=1):
                taken.add(path, lambda one=one: opened.open(one))  # type: ignore[misc]  # a lambda with a default
                told(done, len(members))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError) as problem:
        archive.seek(0)
        what = kind_of(archive.read(512))
        said = f"it is {what}" if what else str(problem) or type(problem).__name__
        remedy = "Unpack it and create a plain zip of the folder." if what else "Create the zip of the folder again."
        raise RequestError("The archive cannot be read.", said, remedy) from None
    return received


def take_files(
    name: str,
    files: Iterable[tuple[str, IO[bytes]]],
    told: Progress = lambda done, total: None,
    corrections: Corrections = NOTHING,
) -> Received:
    """Stores many files, with the folders in their names; otherwise like `take_archive`."""
    several = list(files)
    count(len(several))
    within(sum(one.seek(0, os.SEEK_END) for _, one in several), settings.upload_megabytes(),
            "The upload is too large.", "TRANSFER_UPLOAD_MB")  # fmt: skip
    with _staging(name, corrections) as (folder, received):
        taken = _Taken(folder, received, Budget(settings.upload_megabytes() * 10**6))
        for done, (path, file) in enumerate(several, start=1):
            file.seek(0)
            taken.add(path, lambda file=file: file)  # type: ignore[misc]  # a lambda with a default
            told(done, len(several))
    return received


def members(given: Any) -> list[str]:
    """Names of the files in an upload, a zip or several files; empty if it cannot be read."""
    if isinstance(given, list):
        return [one.name for one in given]
    if entries(given) > settings.upload_files():
        return []  # its table of contents is not read into memory
    try:
        with zipfile.ZipFile(given) as opened:
            found, _ = letters(opened.infolist())
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError):
        return []
    paths = [one.replace("\\", "/") for one in found if not is_folder(one)]
    return [one for one in paths if not any(hidden(part) for part in one.split("/"))]


class _Taken:
    """Collects an upload's files while they are checked."""

    def __init__(self, folder: Path, received: Received, budget: Budget) -> None:
        self.folder, self.received, self.budget = folder, received, budget
        self._taken: set[str] = set()

    def add(self, name: str, open_: Callable[[], IO[bytes]]) -> None:
        """Writes one file if it is a picture or a table; records any other as left out."""
        path = safe(name)
        if any(hidden(part) for part in path.parts):
            return
        alike = unicodedata.normalize("NFC", str(path)).casefold()
        if alike in self._taken:
            raise refused("Two files have the same name.", repr(name), "Rename one of them; nothing was stored.")
        self._taken.add(alike)
        ending = path.suffix.lower()
        table = ending in TABLES
        if not table and (why := unfit(path.name)):
            why = "an archive inside the archive: unpack it first" if ending in ARCHIVES else why
            self.received.left_out.append((str(path), why))
            return
        goal = self.folder / path
        try:
            goal.parent.mkdir(parents=True, exist_ok=True)
            self._write(goal, open_)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise refused("A file and a folder have the same name.", repr(name)) from None
        if table:
            return
        try:
            header(goal)
        except BadPicture as problem:
            goal.unlink()
            self.received.left_out.append((str(path), str(problem)))
            return
        self.received.pictures += 1

    def _write(self, goal: Path, open_: Callable[[], IO[bytes]]) -> None:
        source = open_()
        with goal.open("xb") as file:
            while piece := source.read(_PIECE):
                self.budget.spend(len(piece))
                file.write(piece)


@contextmanager
def _staging(name: str, corrections: Corrections) -> Iterator[tuple[Path, Received]]:
    """A temporary folder that becomes the upload at the end; it is deleted if anything goes wrong."""
    received = Received(name)
    with shelf.staging(place(), name) as folder:
        yield folder, received
        received.said += _understood(folder, received, corrections)
        (folder / _LEFT_OUT).write_text(json.dumps(received.left_out))


def _understood(folder: Path, received: Received, corrections: Corrections) -> tuple[str, ...]:
    """How the upload is understood, in sentences; unused text files are deleted.

    Raises:
        RequestError: there is nothing to train on; the message names files that might have held the labels.
    """
    keep(folder, corrections)
    try:
        found = listing(folder, corrections)
    except RequestError as problem:
        papers = [one for one, _ in received.left_out if one.lower().endswith((*SHEETS, ".json", *ARCHIVES))]
        if not papers:
            raise
        which = ", ".join(papers[:3])
        raise type(problem)(problem.wrong, f"{problem.received}; not read: {which}", problem.remedy) from problem
    for path in [one for one in folder.rglob("*.[tT][xX][tT]") if one.name not in " ".join(found.said)]:
        received.left_out.append((path.relative_to(folder).as_posix(), "not a picture, judging by its extension"))
        path.unlink()
    return found.said

"""Where texts come from: a file, a folder, a zip or an upload, each as names with contents."""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from transfer import settings
from transfer.errors import RequestError
from transfer.received.archive_names import is_folder, kind_of, letters, safe
from transfer.received.files import Unreadable, about, content
from transfer.received.upload_limits import SMALL, Budget, count, declared, entries, within

MOST_BYTES = 250_000_000
MOST_FILES = 500_000
_PIECE = 2**20


class Source:
    """Files by their names, ``/`` between folders, without hidden ones.

    Args:
        title: what a person calls it.
        names: of all files.
    """

    def __init__(self, title: str, names: tuple[str, ...]) -> None:
        self.title, self.names = title, names

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            Unreadable: it cannot be read; the message says why.
        """
        raise NotImplementedError


class Folder(Source):
    """Files below a folder of this machine, or one file."""

    def __init__(self, place: Path) -> None:
        self.place = place
        try:
            found = _walked(place) if place.is_dir() else {place.name: place}
        except OSError as problem:
            said = f"{problem.strerror}: {place}"
            raise RequestError("The folder cannot be read.", said, "Allow the lab to read it.") from None
        self._paths = found
        super().__init__(place.name or str(place), tuple(sorted(found)))

    def read(self, name: str) -> bytes:
        """As for every source."""
        return content(self._paths[name], MOST_BYTES, "file of texts").getvalue()

    @property
    def stamp(self) -> str:
        """Changes whenever a file is added, removed, renamed or written."""
        digest = hashlib.sha256(str(self.place).encode("utf-8", "surrogateescape"))
        for name in self.names:
            try:
                seen = about(self._paths[name])
                said = f"{name}\0{seen.st_size}\0{seen.st_mtime_ns}\0{seen.st_ctime_ns}\n"
            except Unreadable as problem:
                said = f"{name}\0{problem}\n"
            digest.update(said.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


class Several(Source):
    """Files that are in memory already."""

    def __init__(self, title: str, files: Mapping[str, bytes]) -> None:
        self._files = {name: one for name, one in files.items() if not hidden(name)}
        super().__init__(title, tuple(sorted(self._files)))

    def read(self, name: str) -> bytes:
        """As for every source."""
        return self._files[name]


class Zip(Source):
    """Files in a zip, under the limits of uploads."""

    def __init__(self, title: str, archive: IO[bytes]) -> None:
        size = archive.seek(0, os.SEEK_END)
        within(size, settings.upload_megabytes(), "The archive is too large.", "TRANSFER_UPLOAD_MB")
        count(entries(archive))
        with _zip_errors(archive):
            self._zip = zipfile.ZipFile(archive)
            found = self._zip.infolist()
            declared([one for one in found if not one.is_dir()], size)
            meant, self.said = letters(found)
        self._budget = Budget(max(SMALL, size * settings.upload_ratio()))
        self._archive = archive
        several = [(str(safe(name)), one) for name, one in zip(meant, found, strict=True) if not is_folder(name)]
        self._members = {name: one for name, one in several if not hidden(name)}
        super().__init__(title, tuple(sorted(self._members)))

    def read(self, name: str) -> bytes:
        """As for every source."""
        pieces = []
        with _zip_errors(self._archive), self._zip.open(self._members[name]) as file:
            while piece := file.read(_PIECE):
                self._budget.spend(len(piece))
                pieces.append(piece)
        return b"".join(pieces)


def hidden(name: str) -> bool:
    """Whether a file, or a folder that it is in, is one that programs keep for themselves."""
    return any(part.startswith(".") or part in ("__MACOSX", "__pycache__") for part in name.split("/"))


def is_zip(head: bytes, name: str) -> bool:
    """Whether these are the first bytes of a zip that is no office document, or of what is at least called so."""
    return name.lower().endswith(".zip") or (head.startswith(b"PK\x03\x04") and b"[Content_Types].xml" not in head)


@contextmanager
def _zip_errors(archive: IO[bytes]) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, OSError,
            RuntimeError, ValueError) as problem:  # fmt: skip
        archive.seek(0)
        what = kind_of(archive.read(512))
        said = f"it is {what}" if what else str(problem)[:200] or type(problem).__name__
        remedy = "Unpack it and create a plain zip of its files." if what else "Create the zip again."
        raise RequestError("The archive cannot be read.", said, remedy) from None


def _walked(place: Path) -> dict[str, Path]:
    def refused(problem: OSError) -> None:
        raise problem

    found: dict[str, Path] = {}
    for folder, folders, files in os.walk(place, onerror=refused):
        folders[:] = sorted(one for one in folders if not hidden(one))
        inside = Path(folder)
        for name in files:
            if not hidden(name):
                found[(inside / name).relative_to(place).as_posix()] = inside / name
        if len(found) > MOST_FILES:
            raise RequestError(
                "The folder has too many files.", f"more than {MOST_FILES:,}", "Give a folder with the texts alone."
            )
    return found

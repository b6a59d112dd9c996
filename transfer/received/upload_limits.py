"""Limits for uploads: on the size as sent, on what the archive declares, and on what it really unpacks to."""

from __future__ import annotations

import stat
import zipfile
from typing import IO

from transfer import settings
from transfer.received.archive_names import refused

SMALL = 10 * 2**20
_ENTRY = b"PK\x01\x02"
_PIECE = 2**20


def limits(pictures: bool = True) -> str:
    """The limits, in a sentence; those on pixels only for pictures."""
    pixels = f"; {settings.most_pixels() / 1e6:g} million pixels per picture" if pictures else ""
    return (
        f"At most {settings.upload_megabytes():,} MB as sent; {settings.unpacked_megabytes():,} MB unpacked, and no "
        f"more than {settings.upload_ratio()} times the archive's size; {settings.upload_files():,} files{pixels}."
    )


def count(files: int) -> None:
    """Refuses an upload with too many files."""
    if files > settings.upload_files():
        raise refused("The upload has too many files.", f"{files:,} of at most {settings.upload_files():,}",
                       "Give a path on this machine instead, or raise TRANSFER_UPLOAD_FILES.")  # fmt: skip


def within(size: int, megabytes: int, wrong: str, setting: str) -> None:
    """Refuses a size larger than a setting allows."""
    if size > megabytes * 10**6:
        raise refused(wrong, f"{size / 1e6:,.0f} MB of at most {megabytes:,}",
                       f"Give a path on this machine instead, or raise {setting}.")  # fmt: skip


def entries(archive: IO[bytes]) -> int:
    """Number of entries in the archive's table of contents; unlike zipfile, it does not read the table into memory."""
    archive.seek(0)
    found, kept = 0, b""
    while piece := archive.read(_PIECE):
        joined = kept + piece
        found += joined.count(_ENTRY)
        kept = joined[-len(_ENTRY) + 1 :]
    archive.seek(0)
    return found


def declared(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuses an archive that declares too much, or entries that are not plain files."""
    total = sum(one.file_size for one in members)
    within(
        total, settings.unpacked_megabytes(), "The archive is too large when unpacked.", "TRANSFER_UPLOAD_UNPACKED_MB"
    )
    if total > max(SMALL, size * settings.upload_ratio()):
        raise refused("The archive unpacks to a suspicious size.", f"{total / max(1, size):,.0f} times its size",
                       f"At most {settings.upload_ratio()} times is allowed (TRANSFER_UPLOAD_RATIO).")  # fmt: skip
    for one in members:
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise refused("The archive contains a link or another entry that is not a plain file.", repr(one.filename))
        if one.flag_bits & 1:
            raise refused("The archive is encrypted.", repr(one.filename), "Create it without a password.")


class Budget:
    """The bytes that may still be written, whatever the archive declares."""

    def __init__(self, most: int) -> None:
        self.most = min(most, settings.unpacked_megabytes() * 10**6)
        self.left = self.most

    def spend(self, size: int) -> None:
        """Uses up bytes; refuses the upload if none are left."""
        self.left -= size
        if self.left < 0:
            raise refused("The upload unpacks to more than it declares.", f"more than {self.most / 1e6:,.0f} MB")

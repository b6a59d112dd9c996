"""How much an upload may be: as it is sent, by what it says of itself, and whatever it then unpacks to."""

from __future__ import annotations

import stat
import zipfile
from typing import IO

from transfer import settings
from transfer.pictures.archive_names import refused

SMALL = 10 * 2**20
_ENTRY = b"PK\x01\x02"
_PIECE = 2**20


def limits() -> str:
    """What an upload may be, in a sentence."""
    return (
        f"At most {settings.upload_megabytes():,} MB as sent; {settings.unpacked_megabytes():,} MB unpacked, and then "
        f"{settings.upload_ratio()} times the archive's size; {settings.upload_files():,} files; "
        f"{settings.most_pixels() / 1e6:g} million pixels a picture."
    )


def count(files: int) -> None:
    """Refuses an upload of too many files."""
    if files > settings.upload_files():
        raise refused("The upload has too many files.", f"{files:,} of at most {settings.upload_files():,}",
                       "Use a folder of this machine (folder:<path>), or raise TRANSFER_UPLOAD_FILES.")  # fmt: skip


def within(size: int, megabytes: int, wrong: str, setting: str) -> None:
    """Refuses what is larger than a setting allows."""
    if size > megabytes * 10**6:
        raise refused(wrong, f"{size / 1e6:,.0f} MB of at most {megabytes:,}",
                       f"Use a folder of this machine (folder:<path>), or raise {setting}.")  # fmt: skip


def entries(archive: IO[bytes]) -> int:
    """Entries of the archive's table of contents, without reading it into memory as zipfile does."""
    archive.seek(0)
    found, kept = 0, b""
    while piece := archive.read(_PIECE):
        joined = kept + piece
        found += joined.count(_ENTRY)
        kept = joined[-len(_ENTRY) + 1 :]
    archive.seek(0)
    return found


def declared(members: list[zipfile.ZipInfo], size: int) -> None:
    """Refuses what the archive itself says is too much, or is no plain file."""
    total = sum(one.file_size for one in members)
    within(total, settings.unpacked_megabytes(), "The archive unpacks to too much.", "TRANSFER_UPLOAD_UNPACKED_MB")
    if total > max(SMALL, size * settings.upload_ratio()):
        raise refused("The archive unpacks to suspiciously much.", f"{total / max(1, size):,.0f} times its size",
                       f"At most {settings.upload_ratio()} times is allowed (TRANSFER_UPLOAD_RATIO).")  # fmt: skip
    for one in members:
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise refused("The archive holds a link or something else that is no plain file.", repr(one.filename))
        if one.flag_bits & 1:
            raise refused("The archive is encrypted.", repr(one.filename), "Make it without a password.")


class Budget:
    """Bytes that may still be written, whatever the archive says of itself."""

    def __init__(self, most: int) -> None:
        self.most = min(most, settings.unpacked_megabytes() * 10**6)
        self.left = self.most

    def spend(self, size: int) -> None:
        """Takes bytes off; refuses when none are left."""
        self.left -= size
        if self.left < 0:
            raise refused("The upload unpacks to more than it said.", f"more than {self.most / 1e6:,.0f} MB")

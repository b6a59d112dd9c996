"""Names of files in an upload: decoded as intended, and checked for paths that lead out or hidden characters."""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from transfer.errors import RequestError
from transfer.received.code_pages import NAMES, encoding_of

LONGEST = 240
_UTF8 = 0x800
_UNICODE_PATH = 0x7075
# Characters that reverse the text direction make gnp.exe look like exe.png; the marks for Hebrew and Arabic do not.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MAGIC = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"Rar!\x1a\x07": "a RAR archive", b"\x1f\x8b": "a gzip or .tar.gz archive",
    b"BZh": "a bzip2 archive", b"\xfd7zXZ\0": "an xz archive", b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"\xff\xd8\xff": "a picture", b"\x89PNG": "a picture", b"%PDF": "a PDF", b"<": "a page of text, not an archive: "
    "the download may have failed",
}  # fmt: skip
ARCHIVES = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"})


def letters(members: Sequence[zipfile.ZipInfo]) -> tuple[list[str], str]:
    """The names of an archive's files as they were meant, and a sentence if their encoding had to be guessed.

    A zip marks each name that is UTF-8. Older programs use the code page of their machine without saying
    which; all such names in an archive share one, so it is found from all of them together.

    Args:
        members: of the archive, as zipfile read them.
    """
    names = [_own(one) for one in members]
    raw = [one.orig_filename.encode("cp437") for one, name in zip(members, names, strict=True) if name is None]
    code = encoding_of(b"\n".join(raw)) if raw else "utf-8"
    found = [
        name if name is not None else one.orig_filename.encode("cp437").decode(code, "replace")
        for one, name in zip(members, names, strict=True)
    ]
    if code in ("utf-8", "utf-8-sig") or all(one.isascii() for one in raw):
        return found, ""
    return found, f"Names in the archive were read as {NAMES.get(code, code)}."


def _own(member: zipfile.ZipInfo) -> str | None:
    """A name whose encoding is given, in the entry or in its extra field; None for bytes in some code page."""
    if member.flag_bits & _UTF8:
        return member.orig_filename
    extra, raw = member.extra, member.orig_filename.encode("cp437")
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        body, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and len(body) > 5 and struct.unpack("<I", body[1:5])[0] == zlib.crc32(raw):
            try:
                return body[5:].decode("utf-8")
            except UnicodeDecodeError:
                return None
    return None


def is_folder(name: str) -> bool:
    """Whether an entry is a folder, also as Windows' own programs write it."""
    return name.endswith(("/", "\\"))


def safe(name: str) -> PurePosixPath:
    """The name as a path inside the upload.

    Raises:
        RequestError: it leads out, hides what it is, or is too long.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if not name or any(map(_hides, name)):
        raise refused("A file's name contains invisible characters.", repr(name))
    if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts or not path.parts:
        raise refused("A file's name points outside the upload.", repr(name))
    if any(len(part.encode()) > LONGEST for part in path.parts) or len(name) > 4 * LONGEST:
        raise refused("A file's name is too long.", repr(name[:60] + "..."))
    return path


def _hides(letter: str) -> bool:
    """Control characters, broken letters and text reversal; narrow spaces, joiners and new emoji are harmless."""
    return letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def kind_of(head: bytes) -> str:
    """What a file named .zip really is, if it is not a zip, in words; empty if unknown."""
    if head[257:262] == b"ustar":
        return "a tar archive"
    return next((what for mark, what in _MAGIC.items() if head.startswith(mark)), "")


def refused(
    wrong: str, received: object, remedy: str = "Leave it out and try again; nothing was stored."
) -> RequestError:
    """The error for a refused upload, in three parts."""
    return RequestError(wrong, received, remedy)

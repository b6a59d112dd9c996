"""One picture from a file that anyone may have made: checked first, decoded only if it is harmless."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path, PurePath
from typing import IO

import numpy as np

from transfer import settings
from transfer.pictures import decoder
from transfer.pictures.content import foreign
from transfer.pictures.decoder import BadPicture, Header, Scales
from transfer.received import files

__all__ = ["ACTIVE", "ENDINGS", "BadPicture", "Header", "Scales", "decoded", "extremes", "header", "unfit"]

ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif",
     ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".avif", ".avifs", ".heic", ".heif", ".hif",
     ".jp2", ".j2k", ".jpx", ".jpf"}
)  # fmt: skip
ACTIVE = frozenset({".svg", ".svgz", ".eps", ".ps", ".pdf", ".wmf", ".emf", ".html", ".htm", ".xml", ".js"})
# Eight bytes per pixel, 16-bit RGBA, and as much again for whatever else a file may hold.
_BYTES_A_PIXEL = 16


def unfit(name: str) -> str:
    """Why a file is not taken for a picture by its name; empty if its content decides.

    Files without an extension, or with a number for one (``scan.0001``), are opened. What browsers and downloads
    add to an extension does not count: ``cat.jpg_large``, ``cat.jpg?w=600``.
    """
    given = PurePath(name).suffix.lower()
    known = re.match(r"\.[a-z0-9]*", given)
    ending = known[0] if known else ""
    if ending in ACTIVE:
        return f"{ending} is not read: it may run code"
    return "" if ending in ENDINGS or not ending.strip(".0123456789") else "not a picture, judging by its extension"


def header(file: Path | BytesIO) -> Header:
    """Width, height, colour and depth, without decoding.

    Raises:
        BadPicture: there is no file to read, or it is not a picture, of an unsupported format, or too large.
    """
    if isinstance(file, BytesIO):
        return _header(file)
    try:
        with files.opened(file) as opened:
            return _header(opened)
    except files.Unreadable as problem:
        raise BadPicture(str(problem)) from problem


def _header(opened: IO[bytes]) -> Header:
    opened.seek(0)
    head = opened.read(512)
    if decoder.format_of(head[:64]) is None and (why := foreign(head)):
        raise BadPicture(why)
    return decoder.header(opened, settings.most_pixels())


def extremes(file: Path | BytesIO) -> tuple[float, float]:
    """The lowest and the highest value in a picture whose depth has no scale of its own.

    Raises:
        BadPicture: it cannot be read or decoded.
    """
    return decoder.extremes(_content(file), settings.most_pixels())


def decoded(file: Path | BytesIO, side: int, channels: int, scales: Scales | None = None) -> np.ndarray:
    """The middle square of a picture at one size, uint8, shape (side, side, channels); see `decoder.decoded`.

    Args:
        file: path, or its content.
        side: height and width, in pixels.
        channels: 1 for grey, 3 for colour.
        scales: by depth, what becomes black and what white.

    Raises:
        BadPicture: it cannot be read or decoded.
    """
    return decoder.decoded(_content(file), (side, side), channels, scales, settings.most_pixels())


def _content(file: Path | BytesIO) -> BytesIO:
    if isinstance(file, BytesIO):
        return file
    try:
        return files.content(file, _BYTES_A_PIXEL * settings.most_pixels())
    except files.Unreadable as problem:
        raise BadPicture(str(problem)) from problem

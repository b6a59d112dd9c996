"""One picture out of a file that anyone may have made: looked at first, decoded only when it is harmless."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import numpy as np

from transfer import settings

if TYPE_CHECKING:
    from PIL.Image import Image

# No format that runs something (SVG, EPS, PDF, WMF): Pillow is allowed these decoders and no others.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
ENDINGS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".bmp", ".dib", ".gif",
     ".webp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".avifs", ".heic", ".heif", ".hif", ".jp2",
     ".j2k", ".jpx", ".jpf"}
)  # fmt: skip
ACTIVE = frozenset({".svg", ".svgz", ".eps", ".ps", ".pdf", ".wmf", ".emf", ".html", ".htm", ".xml", ".js"})
GREY = frozenset({"1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L"})


def unfit(name: str) -> str:
    """Why a file is not taken for a picture by its name; empty when its content decides.

    Names without an ending, or with a number for one (``scan.0001``), are looked into. What browsers and downloads
    add to an ending does not count: ``cat.jpg_large``, ``cat.jpg?w=600``.
    """
    given = PurePath(name).suffix.lower()
    known = re.match(r"\.[a-z0-9]*", given)
    ending = known[0] if known else ""
    if ending in ACTIVE:
        return f"{ending} is not read: it may run something"
    return "" if ending in ENDINGS or not ending.strip(".0123456789") else "no picture by its ending"


class BadPicture(Exception):
    """The file is no picture that can be used; the message says why, in a few words."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded: width and height in pixels as shown, and whether it is grey."""

    width: int
    height: int
    grey: bool


def header(file: Path | BytesIO) -> Header:
    """Width, height and colour, without decoding.

    Raises:
        BadPicture: it is no picture, of a format that is not read, or too large to be decoded.
    """
    with _opened(file) as picture:
        width, height = picture.size
        if _on_its_side(picture):
            width, height = height, width
        return Header(width, height, picture.mode in GREY)


def decoded(file: Path | BytesIO, side: int, channels: int) -> np.ndarray:
    """The middle square of a picture at one size, uint8, shape (side, side, channels).

    The longer side is cut, not squeezed and not padded: shapes stay what they are, and no border tells the
    network how a class was photographed; ImageNet's networks were trained on such cuts. It misleads when what
    matters lies at an edge. Transparent parts become white, photographs stand upright, the first frame counts.

    Args:
        file: path, or its content.
        side: height and width, in pixels.
        channels: 1 for grey, 3 for colour.

    Raises:
        BadPicture: it cannot be decoded.
    """
    from PIL import Image, ImageOps

    with _opened(file) as picture:
        # A photograph of many more pixels is decoded at a half or a quarter to begin with.
        picture.draft(None, (2 * side, 2 * side))
        try:
            upright = ImageOps.exif_transpose(picture)
            plain = _opaque(upright).convert("L" if channels == 1 else "RGB")
            square = ImageOps.fit(plain, (side, side), Image.Resampling.BICUBIC)
        except (OSError, SyntaxError, ValueError, MemoryError, IndexError, Image.DecompressionBombError) as problem:
            raise BadPicture("cut short or damaged") from problem
    return np.asarray(square).reshape(side, side, channels)


def _on_its_side(picture: Image) -> bool:
    # Asked for what it does not have before its pixels, a PNG would be decoded.
    if picture.format == "PNG" and "exif" not in picture.info:
        return False
    try:
        return int(picture.getexif().get(0x0112, 1)) >= 5
    except (OSError, SyntaxError, ValueError, TypeError, KeyError):
        return False


def _opened(file: Path | BytesIO) -> Image:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; the lab has a limit of its own.
            warnings.simplefilter("ignore")
            picture = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as problem:
        raise BadPicture(f"more than {settings.most_pixels() / 1e6:g} million pixels") from problem
    except (OSError, SyntaxError, ValueError, MemoryError, OverflowError) as problem:
        raise BadPicture("not a picture of a format that is read") from problem
    width, height = picture.size
    if width * height > settings.most_pixels():
        picture.close()
        raise BadPicture(f"{width} x {height}, more than {settings.most_pixels() / 1e6:g} million pixels")
    return picture


def _opaque(picture: Image) -> Image:
    """Sixteen bits become eight; what shines through becomes white."""
    from PIL import Image

    if picture.mode.startswith("I"):
        values = np.asarray(picture).astype("float64")
        return Image.fromarray((values / (257 if values.max() > 255 else 1)).clip(0, 255).astype("uint8"))
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return picture

"""Small files that ask for much: memory, time or both. Each is refused, or read within bounds."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.damage import heic, png, whole


def bombs() -> dict[str, Callable[[], bytes]]:
    """What each asks for, and how its file is made."""
    row = np.zeros((1, 3), "uint8")
    jpeg = whole()["jpeg"]
    entries = b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(1, 5000))
    many = b"II*\0" + struct.pack("<IH", 8, 4999) + entries
    loop = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 8, 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    return {
        "png: text of 100 MB": lambda: png(2, 8, row, (b"zTXt", b"a\0\0" + zlib.compress(bytes(10**8)))),
        "png: many texts of 1 MB": lambda: png(2, 8, row, *[(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**6)))] * 300),
        "png: profile of 100 MB": lambda: png(2, 8, row, (b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8)))),
        "png: 60,000 x 60,000": lambda: _sized(png(2, 8, row), 16, ">II", 60_000, 60_000),
        "png: 8,000 x 8,000 of nothing": lambda: _plain_png(8_000, 8_000),
        "png: 8,001 x 8,001 of nothing": lambda: _plain_png(8_001, 8_001),
        "jpeg: 65,500 x 65,500": lambda: _frame(jpeg, 65_500, 65_500),
        "jpeg: 7,900 x 7,900 of nothing": lambda: _frame(jpeg, 7_900, 7_900),
        "jpeg: EXIF of 5,000 values of 60 kB": lambda: _with_exif(jpeg, [b"Exif\0\0" + many[:65_000]]),
        "jpeg: EXIF of 10 MB in pieces": lambda: _with_exif(jpeg, [b"Exif\0\0" + many[:65_000]] * 160),
        "jpeg: EXIF in a circle": lambda: _with_exif(jpeg, [loop]),
        "jpeg: a thousand scans": lambda: _scans(1000),
        "gif: 65,535 x 65,535": lambda: _sized(whole()["gif"], 6, "<HH", 65_535, 65_535),
        "gif: 7,900 x 7,900, one frame at its corner": lambda: _sized(whole()["gif"], 6, "<HH", 7_900, 7_900),
        "bmp: 2,000,000,000 wide": lambda: _sized(whole()["bmp"], 18, "<i", 2_000_000_000),
        "tiff: a circle of pages": lambda: _circle(whole()["tiff"]),
        "tiff: strip of 4 GB": lambda: _tagged(whole()["tiff"], 279, 2**32 - 1),
        "tiff: 4,000,000,000 rows": lambda: _tagged(whole()["tiff"], 257, 4_000_000_000),
        "tiff: 5,000 values of 60 kB": lambda: many + bytes(60_000),
        "tiff: 4,000,000 wide, compressed": lambda: _tagged(whole()["lzw"], 256, 4_000_000),
        "webp: canvas of 16,384 x 16,384": lambda: _canvas(whole()["animated webp"]),
        "avif: 60,000 x 60,000": lambda: _ispe(whole()["avif"], 60_000, 60_000),
        "avif: 8,000 x 8,000 said": lambda: _ispe(whole()["avif"], 8_000, 8_000),
        "heic: 60,000 x 60,000": lambda: _ispe(heic(), 60_000, 60_000),
        "heic: 8,000 x 8,000 said": lambda: _ispe(heic(), 8_000, 8_000),
        "jpeg 2000: 60,000 x 60,000": lambda: _codestream(60_000),
        "jpeg 2000: 7,900 x 7,900 of nothing": lambda: _codestream(7_900),
        "ppm: 10^9 x 10^9": lambda: b"P6 1000000000 1000000000 255\n",
        "ppm: digits without end": lambda: b"P2 " + b"9" * 10_000_000,
        "plain ppm: 7,900 x 7,900 of nothing": lambda: b"P3 7900 7900 255\n" + b" " * 1_000_000,
        "pfm: 8,000 x 8,000 of nothing": lambda: b"Pf\n8000 8000\n-1.0\n",
    }


def _sized(content: bytes, at: int, form: str, *numbers: int) -> bytes:
    packed = struct.pack(form, *numbers)
    made = content[:at] + packed + content[at + len(packed) :]
    if content[:4] == b"\x89PNG":
        made = made[:29] + struct.pack(">I", zlib.crc32(made[12:29])) + made[33:]
    return made


def _plain_png(width: int, height: int) -> bytes:
    squeeze = zlib.compressobj(9)
    pixels = b"".join(squeeze.compress(bytes(1 + 3 * width)) for _ in range(height)) + squeeze.flush()
    made = png(2, 8, np.zeros((1, 3), "uint8"))
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", pixels), (b"IEND", b""))
    return made[:8] + b"".join(
        struct.pack(">I", len(one)) + name + one + struct.pack(">I", zlib.crc32(name + one)) for name, one in chunks
    )


def _frame(jpeg: bytes, width: int, height: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return _sized(jpeg, at, ">HH", height, width)


def _with_exif(jpeg: bytes, pieces: list[bytes]) -> bytes:
    return jpeg[:2] + b"".join(b"\xff\xe1" + struct.pack(">H", len(one) + 2) + one for one in pieces) + jpeg[2:]


def _scans(count: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (2_000, 2_000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    at = content.rindex(b"\xff\xda")
    return content[:at] + content[at:-2] * count + b"\xff\xd9"


def _entry(tiff: bytes, tag: int) -> int:
    at = int.from_bytes(tiff[4:8], "little")
    for place in range(at + 2, at + 2 + 12 * int.from_bytes(tiff[at : at + 2], "little"), 12):
        if int.from_bytes(tiff[place : place + 2], "little") == tag:
            return place
    raise ValueError(f"the TIFF has no tag {tag}")


def _tagged(tiff: bytes, tag: int, value: int) -> bytes:
    return _sized(tiff, _entry(tiff, tag), "<HHII", tag, 4, 1, value)


def _circle(tiff: bytes) -> bytes:
    at = int.from_bytes(tiff[4:8], "little")
    end = at + 2 + 12 * int.from_bytes(tiff[at : at + 2], "little")
    return _sized(tiff, end, "<I", at)


def _canvas(webp: bytes) -> bytes:
    at = webp.index(b"VP8X") + 12
    return webp[:at] + b"\xff\x3f\0\xff\x3f\0" + webp[at + 6 :]


def _ispe(content: bytes, width: int, height: int) -> bytes:
    made = content
    at = made.find(b"ispe")
    while at >= 0:
        made = _sized(made, at + 8, ">II", width, height)
        at = made.find(b"ispe", at + 4)
    return made


def _codestream(side: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG2000", no_jp2=True)
    content = file.getvalue()
    made = _sized(content, 8, ">II", side, side)  # the whole
    return _sized(made, 24, ">II", side, side)  # a tile

"""Pictures that were cut short or damaged, and files that are none: refused with the true reason, never a crash."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.damage import heic
from tests.test_decoder import LEFT_DARK, saved
from transfer.pictures import own
from transfer.pictures.decoder import BadPicture, decoded
from transfer.pictures.formats import header


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder beside the lab's own."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


TEXTURE = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype("uint8")
WHOLE: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {}), "progressive": ("JPEG", {"progressive": True}), "optimised": ("JPEG", {"optimize": True}),
    "png": ("PNG", {}), "gif": ("GIF", {}), "bmp": ("BMP", {}), "webp": ("WEBP", {}),
    "lossless": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}), "lzw": ("TIFF", {"compression": "tiff_lzw"}),
    "deflate": ("TIFF", {"compression": "tiff_deflate"}),
    "ppm": ("PPM", {}), "jpeg 2000": ("JPEG2000", {}), "avif": ("AVIF", {}),
    "jpeg in tiff": ("TIFF", {"compression": "jpeg"}),
}  # fmt: skip


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", WHOLE)
def test_what_was_cut_short_is_refused_and_never_grey_below(name: str, share: float) -> None:
    kind, options = WHOLE[name]
    content = saved(TEXTURE, kind, **options).getvalue()
    cut = content[: int(share * len(content))]
    with pytest.raises(BadPicture):
        decoded(io.BytesIO(cut), (16, 16), 3)


@pytest.mark.parametrize("name", ["jpeg", "progressive", "optimised"])
@pytest.mark.parametrize("filled", [b"", bytes(3000), b"\xff" * 500])
def test_a_jpeg_that_was_cut_and_ended_anew_is_refused(name: str, filled: bytes) -> None:
    kind, options = WHOLE[name]
    content = saved(TEXTURE, kind, **options).getvalue()
    decoded(io.BytesIO(content), (16, 16), 3)
    for side in (4, 32, 64):
        with pytest.raises(BadPicture, match="cut short"):
            decoded(io.BytesIO(content[: len(content) * 6 // 10] + filled + b"\xff\xd9"), (side, side), 3)


def test_a_tiff_whose_strips_are_lost_is_refused_and_never_black_below() -> None:
    content = saved(TEXTURE, "TIFF", tiffinfo={278: 16}).getvalue()
    decoded(io.BytesIO(content), (16, 16), 3)
    at = content.index(struct.pack("<HH", 257, 4))
    taller = content[: at + 8] + struct.pack("<I", 128) + content[at + 12 :]
    with pytest.raises(BadPicture, match="cut short"):
        header(io.BytesIO(taller))


def test_a_flat_end_is_no_damage() -> None:
    half = TEXTURE.copy()
    half[30:] = 255
    for options in ({}, {"progressive": True}, {"optimize": True}):
        decoded(saved(half, "JPEG", **options), (16, 16), 3)
    decoded(io.BytesIO(saved(half, "JPEG").getvalue() + b"\0" * 5000), (16, 16), 3)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"), (bytes(900), "only zeros"), (b"<!DOCTYPE html><p>404", "web page"), (b" \n<html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"), (b"%PDF-1.7", "PDF"),
        (b"8BPS\0\1", "Photoshop"),
        (b"\xff\x0a\xfa", "JPEG XL"), (bytes(128) + b"DICM" + bytes(99), "DICOM"), (b"\x93NUMPY\1", "NumPy"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "video"), (b"\0\0\0\x18ftypcrx " + bytes(20), "raw file"),
        (b"PK\x03\x04", "zip"), (b"<?xml version='1.0'?><svg/>", "SVG"), (b'{"error": 403}', "JSON"),
        (b"anything", "not a picture in a supported format"), (b"\x89PNG\r\n\x1a\n", "PNG header is damaged"),
        (b"GIF89a", "GIF header"), (b"\xff\xd8\xff", "JPEG header"),
    ],
)  # fmt: skip
def test_the_reason_is_the_true_one(content: bytes, why: str) -> None:
    with pytest.raises(BadPicture, match=why):
        header(io.BytesIO(content))


def test_endings_do_not_matter(place: Path) -> None:
    names = {"a.JFIF": "JPEG", "b.jpg": "PNG", "c": "WEBP", "d.png": "JPEG", "e.HEIC": "HEIC", "f.jpe": "JPEG",
             "g.AVIF": "AVIF", "h.jp2": "JPEG2000"}  # fmt: skip
    for label in "ab":
        (place / label).mkdir()
        for name, kind in names.items():
            content = heic() if kind == "HEIC" else saved(LEFT_DARK, kind).getvalue()
            (place / label / name).write_bytes(content)
    seen = own.looked(place)
    assert (seen.bad, len(seen.good)) == ((), 16)


def test_a_limit_above_pillows_own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    large = io.BytesIO(b"P4 20000 10000\n")
    with pytest.raises(BadPicture, match="64 million"):
        header(large)
    monkeypatch.setenv("TRANSFER_MOST_MEGAPIXELS", "250")
    assert header(large).width == 20000


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF", "GIF", "TIFF"])
def test_without_an_image_there_is_no_crash(kind: str) -> None:
    start = {
        "WEBP": b"RIFF\x04\0\0\0WEBP",
        "AVIF": b"\0\0\0\x10ftypavif\0\0\0\0",
        "HEIF": b"\0\0\0\x10ftypheic\0\0\0\0",
    }
    content = start.get(kind) or saved(LEFT_DARK, kind).getvalue()[:30]
    with pytest.raises(BadPicture):
        decoded(io.BytesIO(content + zlib.compress(b"x")), (4, 4), 3)

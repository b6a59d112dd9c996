"""Small whole pictures of every format, and damage done to them; benchmarks and tests share it."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

# Dark on the left, light on the right, 16 x 16 pixels, as an iPhone packs them; writing HEIC needs a GPL library.
_HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA"
    "AAAERAAAEAAQAAAAABoAABAAAAAAAAAMYAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAA"
    "AADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkA"
    "AAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAA"
    "AChjbGFwAAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAzm"
    "1kYXQAAADCKAGvBjIanK6AXZ5K6JvuDoyky+g9HHolshiFtCt+LJDBPf7z9d6r8gnHWptqieX/njj6p/Ag6wswGc9S74xuyiKJfvrRB+oHMiWG"
    "OPQ3jeOkwLZgACKkeQ/YnG1xBwH73rfTBi+xrAegEsn1pc0g0hRFFeXXCELBq+rfw9+37fQAvfAAFaATt6lZ5B/Ewy12yUAHjICdjx/rGxlsqj"
    "o5elveWZGcleCFjvbl7ruKqokwABo+ikJOxBTZgW4bfk00qjg="
)


def heic() -> bytes:
    """A HEIC file: 20 on the left, 230 on the right."""
    return base64.b64decode(_HEIC)


def png(colour: int, bits: int, rows: np.ndarray, *more: tuple[bytes, bytes]) -> bytes:
    """A PNG of any colour type and depth, with further chunks before its pixels.

    Args:
        colour: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGBA.
        bits: a channel.
        rows: what stands in each row, big-endian.
        more: name and content of chunks.
    """
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    size = struct.pack(">IIBBBBB", rows.shape[1] // channels, len(rows), bits, colour, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = ((b"IHDR", size), *more, (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def whole() -> dict[str, bytes]:
    """A picture of 16 x 16 pixels in every format and form that is read, most with EXIF."""
    base = Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 16, 3)).astype("uint8"))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x011A] = 6, "a camera", 72.0
    exif.get_ifd(0x8769)[0x829A] = 0.01
    deep = Image.fromarray(np.arange(256, dtype="uint16").reshape(16, 16) * 200)
    forms: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "jpeg": (base, "JPEG", {"exif": exif}), "progressive": (base, "JPEG", {"progressive": True, "exif": exif}),
        "cmyk": (base.convert("CMYK"), "JPEG", {}), "mpo": (base, "MPO", _pages(base) | {"exif": exif}),
        "png": (base, "PNG", {"exif": exif}), "deep png": (deep, "PNG", {}),
        "palette": (base.quantize(9), "PNG", {"transparency": 3}), "apng": (base, "PNG", _pages(base)),
        "gif": (base, "GIF", {}), "animated gif": (base, "GIF", _pages(base)), "bmp": (base, "BMP", {}),
        "small bmp": (base.quantize(9), "BMP", {}), "webp": (base, "WEBP", {"exif": exif}),
        "lossless webp": (base.convert("RGBA"), "WEBP", {"lossless": True}),
        "animated webp": (base, "WEBP", _pages(base)),
        "tiff": (base, "TIFF", {"exif": exif}), "deep tiff": (deep, "TIFF", {}),
        "float tiff": (Image.fromarray(np.asarray(deep).astype("float32")), "TIFF", {}),
        "lzw": (base, "TIFF", {"compression": "tiff_lzw"}), "jpeg in tiff": (base, "TIFF", {"compression": "jpeg"}),
        "fax": (base.convert("1"), "TIFF", {"compression": "group4"}), "pages": (base, "TIFF", _pages(base)),
        "ppm": (base, "PPM", {}), "deep pgm": (deep.convert("I"), "PPM", {}), "pbm": (base.convert("1"), "PPM", {}),
        "jpeg 2000": (base, "JPEG2000", {}), "avif": (base, "AVIF", {"exif": exif}),
    }  # fmt: skip
    made = {"heic": heic()}
    for name, (picture, kind, options) in forms.items():
        file = io.BytesIO()
        picture.copy().save(file, kind, **options)
        made[name] = file.getvalue()
    return made


def _pages(base: Image.Image) -> dict[str, object]:
    # Made anew each time: saving leaves its settings in a picture.
    return {"save_all": True, "append_images": [base.rotate(90)]}


# A place as a share of the file, what is done there, and a number for it.
Edit = tuple[float, str, int]
EDITS = ("flip", "byte", "largest", "zero", "insert", "drop", "cut", "repeat", "word")


def damaged(content: bytes, edits: Sequence[Edit]) -> bytes:
    """A file with some of its bytes changed; the checksums of a PNG are made right, so that its decoder is reached."""
    made = bytearray(content)
    for share, what, number in edits:
        at = int(share * max(0, len(made) - 1))
        some = number % 9
        if what == "cut":
            del made[at:]
        elif what == "drop":
            del made[at : at + some]
        elif what == "insert":
            made[at:at] = bytes([number % 256]) * some
        elif what == "repeat":
            made[at:at] = made[at : at + 8 * some]
        else:
            old = made[at : at + 4]
            new = {
                "flip": bytes(one ^ (1 << number % 8) for one in old[:1]), "byte": bytes([number % 256]),
                "largest": b"\xff" * len(old), "zero": bytes(len(old)), "word": struct.pack(">I", number)[: len(old)],
            }[what]  # fmt: skip
            made[at : at + len(new)] = new
    return _checked(bytes(made)) if made[:4] == b"\x89PNG" else bytes(made)


def drawn(random: np.random.Generator) -> list[Edit]:
    """One to four edits by chance, half of them where headers and EXIF are."""
    return [
        (
            float(random.random() ** (3 if random.random() < 0.5 else 1)),
            str(random.choice(EDITS)),
            int(random.integers(2**32)),
        )
        for _ in range(int(random.integers(1, 5)))
    ]


def _checked(content: bytes) -> bytes:
    made, at = content[:8], 8
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if at + 12 + size > len(content):
            break
        chunk = content[at + 4 : at + 8 + size]
        made += content[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + size
    return made + content[at:]

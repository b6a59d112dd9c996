"""How a picture file becomes pixels: the one decoder of training, pages and exports.

It needs only numpy and Pillow, pi-heif for HEIC, and simplejpeg to find truncated JPEGs, so this file can be copied
beside an exported network and decodes exactly as its training did. Pixels are taken as they are stored: colour
profiles and gamma are not applied, as TensorFlow and PyTorch do not apply them either. Of several frames or pages the
first is used.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from PIL import Image, ImageCms, ImageOps

# Pillow warns about odd metadata, which is not used here. Set once: changing filters is not thread-safe.
warnings.filterwarnings("ignore", module=r"PIL\.")

MOST_PIXELS = 64_000_000
Scales = Mapping[str, tuple[float, float]]

GREY = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ORIENTATION, _BITS, _WHITE_IS_ZERO, _SAMPLE_FORMAT, _NO_DATA = 274, 258, 262, 339, 42113
# Where the format itself says what is white; for other deep pictures only the whole data set tells.
_OWN_SCALE: dict[str, tuple[float, float]] = {"16-bit": (0, 65535), "signed 16-bit": (-32768, 32767)}
# Several large pictures at once would take gigabytes.
_LARGE, _one_large = 16_000_000, threading.Lock()
# Encoders write about ten.
_MOST_PASSES = 100
_DAMAGED = "cut short or damaged"


class BadPicture(Exception):
    """The file is not a usable picture; the message says why, in a few words."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself before it is decoded.

    Args:
        width: in pixels, as shown.
        height: in pixels, as shown.
        grey: whether it has no colour.
        depth: ``16-bit``, ``signed 16-bit``, ``32-bit``, ``signed 32-bit`` or ``float`` if its brightness has to be
            scaled to eight bits by the range of all pictures of its data set; otherwise empty.
        several: whether it has further frames or pages.
    """

    width: int
    height: int
    grey: bool
    depth: str
    several: bool


def header(file: IO[bytes], most: int = MOST_PIXELS) -> Header:
    """Size, colour and depth, without decoding.

    Args:
        file: open for reading.
        most: most pixels; a larger picture is refused.

    Raises:
        BadPicture: it is not a picture, of an unsupported format, or too large to be decoded.
    """
    with _opened(file, most) as picture:
        width, height = picture.size
        if _turned(picture, before_pixels=True) >= 5:
            width, height = height, width
        with _named(_DAMAGED):
            several = bool(picture.format != "MPO" and getattr(picture, "is_animated", False))
        return Header(width, height, picture.mode in GREY, _depth(picture), several)


def extremes(file: IO[bytes], most: int = MOST_PIXELS) -> tuple[float, float]:
    """The lowest and the highest value in a deep picture; NaN, infinity and missing data do not count.

    Raises:
        BadPicture: it cannot be decoded, or holds no values.
    """
    with _opened(file, most) as picture, _named(_DAMAGED):
        picture.load()
        values = _values(picture)
        counted = values if values.dtype.kind in "iu" else values[np.isfinite(values)]
    if not counted.size:
        raise BadPicture("it holds no values")
    return float(counted.min()), float(counted.max())


def decoded(
    file: IO[bytes], size: tuple[int, int], channels: int, scales: Scales | None = None, most: int = MOST_PIXELS
) -> np.ndarray:
    """The middle of a picture at one size, uint8, shape (height, width, channels).

    The longer side is cropped, not squeezed and not padded: shapes stay what they are, and no border tells the
    network how a class was photographed; ImageNet's networks were trained on such crops. It misleads when what
    matters is at an edge. Transparent parts become white, photographs stand upright, the first frame is used.

    Args:
        file: open for reading, or its content.
        size: width and height, in pixels.
        channels: 1 for grey, 3 for colour.
        scales: by depth, what becomes black and what white; those of the data set the network has learned.
        most: most pixels; a larger picture is refused.

    Raises:
        BadPicture: it cannot be decoded.
    """
    with _opened(file, most) as picture, _named(_DAMAGED):
        _bounded(file, picture)
        whole = picture.size
        # A photograph of many more pixels is first decoded at a half or a quarter of its size.
        picture.draft(None, (2 * size[0], 2 * size[1]))
        with _one_large if picture.width * picture.height > _LARGE else nullcontext():
            upright = _upright(picture, scales)
            if picture.format in ("JPEG", "MPO"):
                _complete(file, picture, whole)
            return _brought(upright, size, channels)


def colour(file: IO[bytes], scales: Scales | None = None, most: int = MOST_PIXELS) -> np.ndarray:
    """The whole picture in its own size, RGB, shape (height, width, 3), uint8; otherwise as `decoded`."""
    with _opened(file, most) as picture, _named(_DAMAGED):
        _bounded(file, picture)
        return np.asarray(_upright(picture, scales).convert("RGB"))


def brought(pixels: np.ndarray, size: tuple[int, int], channels: int) -> np.ndarray:
    """The middle of a drawn picture, as `decoded` takes it from a file.

    Args:
        pixels: RGB or RGBA, shape (height, width, 3 or 4), uint8.
        size: width and height, in pixels.
        channels: 1 for grey, 3 for colour.
    """
    return _brought(_opaque(Image.fromarray(pixels)), size, channels)


def _brought(opaque: Image.Image, size: tuple[int, int], channels: int) -> np.ndarray:
    plain = opaque.convert("L" if channels == 1 else "RGB")
    middle = ImageOps.fit(plain, size, Image.Resampling.BICUBIC)
    return np.asarray(middle).reshape(size[1], size[0], channels)


@contextmanager
def _named(reason: str) -> Iterator[None]:
    """Blames the file for whatever a decoder raises: struct.error, ZeroDivisionError, MemoryError, KeyError ..."""
    try:
        yield
    except BadPicture:
        raise
    except Exception as problem:  # Pillow's plug-ins raise errors of every kind
        raise BadPicture(reason) from problem


def _opened(file: IO[bytes], most: int) -> Image.Image:
    file.seek(0)
    kind = format_of(file.read(64))
    if kind is None:
        raise BadPicture("not a picture in a supported format")
    if kind == "HEIF":
        _with_heif()
    file.seek(0)
    # Some formats allocate their pixels as they are opened; Pillow's own limit is twice this number.
    Image.MAX_IMAGE_PIXELS = -(-most // 2)
    try:
        with _named(f"its {kind} header is damaged or not supported"):
            picture = Image.open(file, formats=(kind,))
    except BadPicture as problem:
        if isinstance(problem.__cause__, Image.DecompressionBombError):
            raise BadPicture(f"more than {most / 1e6:g} million pixels") from problem
        raise
    width, height = picture.size
    if width * height > most:
        picture.close()
        raise BadPicture(f"{width} x {height}, more than {most / 1e6:g} million pixels")
    if kind == "TIFF" and not _all_strips(picture):
        raise BadPicture(_DAMAGED)
    return picture


def _all_strips(picture: Image.Image) -> bool:
    """Whether a TIFF says where all its rows are; the missing ones would silently be black."""
    strips, rows, height = (_tag(picture, tag) for tag in (273, 278, 257))
    return not (isinstance(strips, tuple) and isinstance(rows, int) and isinstance(height, int)) or (
        len(strips) * rows >= height
    )


def format_of(head: bytes) -> str | None:
    """The format of a file by its first 64 bytes, as Pillow calls it; None if it is not supported.

    No format that can run code (SVG, EPS, PDF, WMF) is among them. A file's extension does not count.
    """
    starts = {
        b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF87a": "GIF", b"GIF89a": "GIF", b"BM": "BMP",
        b"II*\0": "TIFF", b"MM\0*": "TIFF", b"II+\0": "TIFF", b"MM\0+": "TIFF",
        b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000", b"\xff\x4f\xff\x51": "JPEG2000",
    }  # fmt: skip
    for start, name in starts.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"123456f" and head[2:3].isspace():
        return "PPM"
    if head[4:8] == b"ftyp":
        brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(64, int.from_bytes(head[:4], "big")), 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}:
            return "HEIF"
    return None


def _with_heif() -> None:
    try:
        from pi_heif import register_heif_opener  # type: ignore[import-untyped]  # it has no stubs
    except ImportError:
        raise BadPicture("HEIC needs a package that is not installed: pip install pi-heif") from None
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _upright(picture: Image.Image, scales: Scales | None) -> Image.Image:
    """The picture decoded, eight bits deep, opaque, and turned as the camera says."""
    picture.load()
    turn = _TURNS.get(_turned(picture))
    plain = _opaque(_eight_bits(picture, scales))
    return plain.transpose(turn) if turn is not None else plain


def _turned(picture: Image.Image, before_pixels: bool = False) -> int:
    """EXIF's orientation, 1 to 8; 1 where EXIF is damaged, as browsers have it."""
    # Asking a PNG for EXIF it does not have before its pixels would decode it. TIFFs are turned as they are read.
    if picture.format == "TIFF" or (before_pixels and picture.format == "PNG" and "exif" not in picture.info):
        return 1
    try:
        said = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001  # EXIF is written by everyone; it then tells no orientation
        return 1
    return said if isinstance(said, int) and 1 <= said <= 8 else 1


def _tag(picture: Image.Image, tag: int) -> Any:
    return getattr(picture, "tag_v2", {}).get(tag)


def _depth(picture: Image.Image) -> str:
    """The depth, if it has no scale of its own; empty if the format says what is white."""
    if picture.mode == "F":
        return "float"
    if picture.format == "TIFF" and picture.mode == "I":
        signed, bits = _tag(picture, _SAMPLE_FORMAT) == (2,), _tag(picture, _BITS)
        return f"{'signed ' if signed else ''}{16 if bits == (16,) else 32}-bit"
    if picture.mode.startswith("I;16") and picture.format in ("PNG", "TIFF") and _tag(picture, _BITS) != (12,):
        return "16-bit"
    return ""


def _values(picture: Image.Image) -> np.ndarray:
    """The values of a deep picture; NaN where a TIFF says that there is no data."""
    values = np.asarray(picture)
    if _depth(picture) == "32-bit":
        values = values.view("uint32")  # Pillow takes them for signed
    no_data = _tag(picture, _NO_DATA)
    if no_data is None:
        return values
    values = values.astype("float64")
    try:
        values[values == float(str(no_data).strip("\0 "))] = np.nan
    except ValueError:  # anyone can write anything into the tag
        return values
    return values


def _eight_bits(picture: Image.Image, scales: Scales | None) -> Image.Image:
    if not picture.mode.startswith(("I", "F")):
        if picture.mode == "L" and _tag(picture, _SAMPLE_FORMAT) == (2,):
            return Image.fromarray(np.asarray(picture) ^ 128)  # from -128 to 127
        return picture
    depth = _depth(picture)
    if not depth:
        low, high = 0.0, 4095.0 if _tag(picture, _BITS) == (12,) else 65535.0
    elif (known := (scales or {}).get(depth) or _OWN_SCALE.get(depth)) is None:
        raise BadPicture(
            f"its {depth} values have no scale that the network has learned; use a picture of 8 or 16 bits"
        )
    else:
        low, high = known
    grey = _scaled(_values(picture), low, high)
    if _tag(picture, _WHITE_IS_ZERO) == 0:
        grey = 255 - grey
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        grey[np.asarray(picture) == clear] = 255
    return Image.fromarray(grey)


def _scaled(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scales low to high to 0 to 255, some rows at a time, because numbers of eight bytes take memory."""
    grey = np.empty(values.shape, "uint8")
    step = max(1, 1_000_000 // max(1, values.shape[1]))
    for at in range(0, len(values), step):
        rows = (values[at : at + step].astype("float64") - low) * (255 / (high - low))
        grey[at : at + step] = np.rint(np.nan_to_num(rows, nan=0, posinf=255, neginf=0).clip(0, 255))
    return grey


def _opaque(picture: Image.Image) -> Image.Image:
    """Transparent parts become white; colour that Pillow does not convert is converted."""
    if picture.mode == "LAB":
        lab, ours = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        return ImageCms.applyTransform(picture, ImageCms.buildTransform(lab, ours, "LAB", "RGB")) or picture
    if picture.has_transparency_data:
        straight = picture.convert({"La": "LA", "RGBa": "RGBA"}.get(picture.mode, picture.mode))
        clear = straight.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    return picture


def _bounded(file: IO[bytes], picture: Image.Image) -> None:
    """Raises when a JPEG has so many passes that it was made to keep its reader busy: each takes equally long."""
    if picture.format not in ("JPEG", "MPO"):
        return
    file.seek(0)
    passes = file.read().count(b"\xff\xda")
    if passes > _MOST_PASSES:
        raise BadPicture(f"{passes:,} passes over its pixels, more than {_MOST_PASSES}")


def _complete(file: IO[bytes], picture: Image.Image, whole: tuple[int, int]) -> None:
    """Raises when a JPEG was cut short and given a new end: the rest of it would silently be grey.

    Only where that is likely is it decoded again, by a decoder that notices: when the last corner is flat, the last
    bytes are all alike, or the picture has several passes.
    """
    width, height = picture.size
    side = max(2, 16 * width // whole[0])
    corner = np.asarray(picture.crop((max(0, width - side), max(0, height - side), width, height)))
    file.seek(0)
    content = file.read()
    filled = len(set(content.rstrip(b"\0")[-34:-2])) == 1
    if (corner != corner[:1, :1]).any() and not filled and "progressive" not in picture.info:
        return
    try:
        import simplejpeg  # type: ignore[import-untyped]  # it has no stubs
    except ImportError:
        return
    try:
        simplejpeg.decode_jpeg(content, strict=True, fastdct=True, fastupsample=True)
    except ValueError as problem:
        if "remature end" in str(problem) or (filled and "before marker 0xd9" in str(problem)):
            raise BadPicture(_DAMAGED) from problem

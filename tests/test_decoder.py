"""The decoder: every kind of picture people have, brought to eight bits alike over a whole data set, or refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.damage import heic, png
from transfer.pictures import own
from transfer.pictures.decoder import BadPicture, decoded
from transfer.pictures.formats import header
from transfer.pictures.scales import full_scale

RAMP = np.arange(64).reshape(8, 8)
EDGE = np.where(np.arange(16)[None, :] < 8, 20, 230).repeat(16, 0).astype("uint8")
LEFT_DARK = np.stack([EDGE] * 3, -1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder beside the lab's own."""
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


def saved(picture: np.ndarray | Image.Image, kind: str, **options: Any) -> io.BytesIO:
    """A picture as a file of that format."""
    made = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(made, kind, **options)
    return made


def tiff(values: np.ndarray, *tags: tuple[int, int, int], big: bool = False) -> io.BytesIO:
    """A TIFF of one grey strip, with any numbers in it."""
    order, mark = (">", b"MM\0*") if big else ("<", b"II*\0")
    form = {"u": 1, "i": 2, "f": 3}[values.dtype.kind]
    height, width = values.shape
    entries = {
        256: (3, width), 257: (3, height), 258: (3, 8 * values.itemsize), 259: (3, 1), 262: (3, 1), 273: (4, 0),
        277: (3, 1), 278: (3, height), 279: (4, values.nbytes), 339: (3, form),
    } | {tag: (kind, value) for tag, kind, value in tags}  # fmt: skip
    entries[273] = (4, 8 + 2 + 12 * len(entries) + 4)
    packed = b"".join(
        struct.pack(f"{order}HHI{'H2x' if kind == 3 else 'I'}", tag, kind, 1, value)
        for tag, (kind, value) in sorted(entries.items())
    )
    body = values.astype(values.dtype.newbyteorder(order)).tobytes()
    return io.BytesIO(mark + struct.pack(f"{order}IH", 8, len(entries)) + packed + b"\0\0\0\0" + body)


def grey(file: io.BytesIO, **scales: tuple[float, float]) -> np.ndarray:
    return decoded(file, (8, 8), 1, {name.replace("_", " "): scale for name, scale in scales.items()})[..., 0]


DEEP = {
    "png": lambda values: saved(values.astype("uint16"), "PNG"),
    "tiff": lambda values: tiff(values.astype("uint16")),
    "tiff, big-endian": lambda values: tiff(values.astype("uint16"), big=True),
    "tiff, signed": lambda values: tiff(values.astype("int16")),
    "tiff, 32 bits": lambda values: tiff(values.astype("uint32") * 60_000),
    "tiff, signed 32 bits": lambda values: tiff(values.astype("int32") - 10_000),
    "tiff, floats": lambda values: tiff(values.astype("float32") / 7 - 1),
    "tiff, big-endian floats": lambda values: tiff(values.astype("float32"), big=True),
    "jpeg 2000": lambda values: saved(values.astype("uint16"), "JPEG2000"),
    "pgm": lambda values: io.BytesIO(b"P5 8 8 65535\n" + values.astype(">u2").tobytes()),
    "plain pgm": lambda values: io.BytesIO(f"P2 8 8 40000 {' '.join(map(str, values.ravel()))}\n".encode()),
    "pfm": lambda values: io.BytesIO(b"Pf\n8 8\n-1.0\n" + values.astype("<f4").tobytes()),
}


@pytest.mark.parametrize("kind", DEEP)
def test_brightness_keeps_its_order_over_a_data_set_of_any_depth(place: Path, kind: str) -> None:
    steps = (0, 100, 255, 256, 300, 1000, 4095, 9000, 20_000, 32_767)
    for label in "ab":
        (place / label).mkdir()
        for number, value in enumerate(steps):
            (place / label / f"{number:02}.img.1").write_bytes(DEEP[kind](np.full((8, 8), value)).getvalue())
    seen = own.looked(place)
    assert not seen.bad
    made = own.pack(seen)
    found = np.asarray(made.pictures(np.arange(10))).max(axis=(1, 2, 3)).tolist()
    assert found == sorted(found)
    assert found[0] < 3
    assert len(set(found)) > 5
    given = (place / "a" / "07.img.1").read_bytes()
    np.testing.assert_array_equal(  # a single picture, later on, is decoded as among all of them
        decoded(io.BytesIO(given), (8, 8), 1, seen.scales), np.asarray(made.pictures(np.arange(10)))[7]
    )


def test_the_scale_is_said_and_twelve_bits_fill_it(place: Path) -> None:
    for label in "ab":
        (place / label).mkdir()
        for number in range(4):
            deep = saved(np.full((8, 8), 4095 >> number, "uint16"), "PNG")
            (place / label / f"{number}.png").write_bytes(deep.getvalue())
    made = own.dataset("folder:x", "x", place, "")
    assert "16-bit pictures: 0 to 4,095 become 0 to 255, the same in all of them." in made.summary
    assert made.scales == {"16-bit": (0.0, 4095.0)}
    assert made.load().train.inputs[0].max() == 255


@pytest.mark.parametrize(
    ("depth", "low", "high", "scale"),
    [
        ("16-bit", 3, 200, (0, 255)), ("16-bit", 0, 1000, (0, 1023)), ("16-bit", 9, 16_383, (0, 16_383)),
        ("16-bit", 0, 65_535, (0, 65_535)), ("signed 16-bit", -1024, 3071, (-1024, 3071)),
        ("32-bit", 0, 4e9, (0, 4e9)), ("float", 0.2, 0.9, (0, 1)), ("float", -1, 1, (-1, 1)),
        ("float", 0, 90, (0, 90)), ("float", 5, 5, (5, 6)),
    ],
)  # fmt: skip
def test_the_scale_follows_from_what_all_pictures_hold(depth: str, low: float, high: float, scale: object) -> None:
    assert full_scale(depth, low, high) == scale


def test_numbers_that_are_none_do_not_count() -> None:
    values = np.linspace(0, 0.5, 64, dtype="float32").reshape(8, 8)
    values[0, :3] = np.nan, np.inf, -np.inf
    found = grey(tiff(values), float=(0, 1))
    assert found[0, :3].tolist() == [0, 255, 0]
    assert found.max() == 255
    assert found[-1, -1] == 128


def test_white_may_be_zero() -> None:
    for values, scales in ((RAMP.astype("uint16"), {}), ((RAMP / 63).astype("float32"), {"float": (0, 1)})):
        found = decoded(tiff(values, (262, 3, 0)), (8, 8), 1, scales)[..., 0]
        assert found[0, 0] == 255
        assert found[0, 0] >= found[-1, -1]


def test_bytes_with_a_sign_keep_their_order() -> None:
    values = (RAMP * 4 - 128).astype("int8")
    np.testing.assert_array_equal(grey(tiff(values)), RAMP * 4)


def test_depth_that_no_network_has_learned_is_refused() -> None:
    with pytest.raises(BadPicture, match="float values have no scale"):
        grey(tiff(RAMP.astype("float32")))


def test_the_same_picture_in_every_mode_and_format() -> None:
    base, deep = Image.fromarray(LEFT_DARK), (EDGE.astype("uint16") * 257).astype(">u2")
    made = {
        "grey": saved(base.convert("L"), "PNG"), "grey jpeg": saved(base.convert("L"), "JPEG"),
        "palette": saved(base.quantize(4), "PNG"), "gif": saved(base, "GIF"), "bmp": saved(base, "BMP"),
        "bmp of a palette": saved(base.quantize(4), "BMP"), "cmyk": saved(base.convert("CMYK"), "JPEG", quality=95),
        "cmyk tiff": saved(base.convert("CMYK"), "TIFF"), "ycbcr": saved(base.convert("YCbCr"), "TIFF"),
        "progressive": saved(base, "JPEG", progressive=True), "webp": saved(base, "WEBP", lossless=True),
        "avif": saved(base, "AVIF", quality=95), "jpeg 2000": saved(base, "JPEG2000"),
        "lzw": saved(base, "TIFF", compression="tiff_lzw"), "deflate": saved(base, "TIFF", compression="tiff_deflate"),
        "jpeg in tiff": saved(base, "TIFF", compression="jpeg", quality=95), "ppm": saved(base, "PPM"),
        "opaque alpha": saved(base.convert("RGBA"), "PNG"), "grey with alpha": saved(base.convert("LA"), "PNG"),
        "tiff with alpha": saved(base.convert("LA"), "TIFF"),
        "apng": saved(base, "PNG", save_all=True, append_images=[base.rotate(180)]),
        "animated gif": saved(base, "GIF", save_all=True, append_images=[base.rotate(180)]),
        "animated webp": saved(base, "WEBP", lossless=True, save_all=True, append_images=[base.rotate(180)]),
        "pages": saved(base, "TIFF", save_all=True, append_images=[base.rotate(180)]),
        "mpo": saved(base, "MPO", save_all=True, append_images=[base.rotate(180)]),
        "heic": io.BytesIO(heic()),
        "16-bit colour": io.BytesIO(png(2, 16, (LEFT_DARK.astype(">u2") * 257).reshape(16, -1))),
        "16-bit grey with alpha": io.BytesIO(png(4, 16, np.stack([deep, deep * 0 - 1], -1).reshape(16, -1))),
    }  # fmt: skip
    lab = Image.new("LAB", (16, 16))
    lab.putdata([(16 if dark else 233, 128, 128) for dark in (EDGE == 20).ravel().tolist()])
    made["lab"] = saved(lab, "TIFF")
    wrong = {}
    for name, file in made.items():
        found = decoded(file, (16, 16), 3).astype(int)
        gap = max(abs(found[:, :6] - 20).max(), abs(found[:, 10:] - 230).max())
        if gap > 12:
            wrong[name] = gap
    assert not wrong
    several = {name for name, file in made.items() if header(file).several}
    assert several == {"apng", "animated gif", "animated webp", "pages"}


def test_what_shines_through_becomes_white() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([9, 9, 9, 0, 0, 0])
    made = {
        "png": saved(clear, "PNG"), "webp": saved(clear, "WEBP"), "tiff": saved(clear, "TIFF"),
        "grey": saved(clear.convert("LA"), "PNG"), "palette": saved(palette, "PNG", transparency=1),
        "gif": saved(palette, "GIF", transparency=1),
        "palette with alphas": saved(palette, "PNG", transparency=b"\xff\0"),
        "one colour": io.BytesIO(png(2, 8, np.zeros((8, 24), "uint8"), (b"tRNS", b"\0" * 6))),
        "one grey of 16 bits": io.BytesIO(png(0, 16, np.full((8, 8), 700, ">u2"), (b"tRNS", struct.pack(">H", 700)))),
        "avif": saved(clear, "AVIF"),
    }  # fmt: skip
    assert {name: int(decoded(file, (8, 8), 3).min()) for name, file in made.items()} == dict.fromkeys(made, 255)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("said", [1, 2, 3, 4, 5, 6, 7, 8])
def test_photographs_stand_upright(kind: str, said: int) -> None:
    turn = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90",
            7: "TRANSVERSE", 8: "ROTATE_270"}  # fmt: skip
    upright = Image.fromarray(np.kron([[0, 80], [160, 255]], np.ones((8, 8))).astype("uint8")).resize((24, 16))
    lying = upright.transpose(Image.Transpose[turn[said]]) if said > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = said
    file = saved(lying.convert("RGB"), kind, exif=exif)
    assert (header(file).width, header(file).height) == (24, 16)
    found = decoded(file, (24, 16), 1)[..., 0]
    assert np.abs(found[[2, 2, -3, -3], [2, -3, 2, -3]].astype(int) - [0, 80, 160, 255]).max() < 30


def _exif(kind: int, numerator: int, denominator: int) -> bytes:
    entries = struct.pack("<H", 2) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    entries += struct.pack("<HHII", 0x011A, kind, 1, 38) + struct.pack("<I", 0)
    numbers = struct.pack("<ii" if kind == 10 else "<II", numerator, denominator)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + entries + numbers


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("odd", [(10, -1, 0), (5, 2**32 - 1, 0), (5, 0, 0), (10, -(2**31), -1)])
def test_a_cameras_odd_numbers_do_not_matter(kind: str, odd: tuple[int, int, int]) -> None:
    picture = Image.fromarray(LEFT_DARK).resize((24, 16))
    if kind == "TIFF":
        exif: Any = Image.Exif()
        exif[0x0112] = 6
    else:
        exif = _exif(*odd)
    found = decoded(saved(picture, kind, exif=exif), (16, 24), 1)[..., 0]
    assert found[:4].max() < 60
    assert found[-4:].min() > 190


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
     b"Exif\0\0" + bytes(200)],
)  # fmt: skip
def test_damaged_exif_says_nothing(exif: bytes) -> None:
    assert decoded(saved(Image.fromarray(LEFT_DARK), "JPEG", exif=exif), (16, 16), 3)[:, :6].max() < 40

"""Folders of small pictures for tests: classes told apart by colour, each picture a little different."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 200)}


def picture(colour: tuple[int, int, int], seed: int, width: int = 40, height: int = 32) -> Image.Image:
    """Noise around a colour."""
    noise = np.random.default_rng(seed).normal(0, 25, (height, width, 3))
    return Image.fromarray(np.clip(noise + colour, 0, 255).astype("uint8"))


def content(colour: tuple[int, int, int], seed: int, kind: str = "PNG", **size: int) -> bytes:
    """The same as a file's bytes."""
    buffer = BytesIO()
    picture(colour, seed, **size).save(buffer, kind)
    return buffer.getvalue()


def folder(root: Path, each: int = 8, ending: str = ".png", **size: int) -> Path:
    """A folder of three classes."""
    kind = "JPEG" if ending == ".jpg" else "PNG"
    for number, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for place in range(each):
            (root / name / f"{place:03}{ending}").write_bytes(content(colour, 1000 * number + place, kind, **size))
    return root


def photographs(path: Path, each: int = 8) -> Path:
    """A zip of real pictures: pieces of three photographs that come with scikit-image, and two files that are none."""
    from skimage import data

    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as made:
        for name, one in (("brick", data.brick), ("coffee", data.coffee), ("cat", data.chelsea)):
            whole = Image.fromarray(one()).convert("RGB")
            for place in range(each):
                width, height = random.integers(90, 160, 2).tolist()
                left = int(random.integers(0, whole.width - width))
                top = int(random.integers(0, whole.height - height))
                buffer = BytesIO()
                whole.crop((left, top, left + width, top + height)).save(buffer, "JPEG", quality=90)
                made.writestr(f"photos/{name}/{place:03}.jpg", buffer.getvalue())
        made.writestr("photos/cat/broken.jpg", b"no picture")
        made.writestr("photos/cat/drawing.svg", b"<svg onload='alert(1)'/>")
    return path

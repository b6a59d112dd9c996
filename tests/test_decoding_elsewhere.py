"""The decoder that goes with an exported network: the same pixels in a process without the lab."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tests.damage import heic
from transfer.export import decoding
from transfer.pictures.formats import decoded

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy, pictures
assert "transfer" not in sys.modules
numpy.save("out.npy", numpy.stack([pictures.picture(name) for name in sys.argv[2:]]))
"""


def test_the_exported_decoder_gives_the_very_pixels(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (70, 91, 3)).astype("uint8")
    turned = Image.Exif()
    turned[0x0112] = 8
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=turned, quality=80)
    Image.fromarray(pixels).resize((900, 700)).save(tmp_path / "b.jpg", progressive=True)
    Image.fromarray(pixels).quantize(9).save(tmp_path / "c.gif")
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(tmp_path / "d.png")
    Image.fromarray(pixels[..., 0].astype("uint16") * 16).save(tmp_path / "e.png")
    Image.fromarray(pixels[..., 0].astype("float32") - 7.5).save(tmp_path / "f.tif")
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "g.tif", compression="tiff_lzw")
    (tmp_path / "h.heic").write_bytes(heic())
    scales = {"16-bit": (0.0, 4095.0), "float": (-7.5, 247.5)}
    (tmp_path / decoding.FILE).write_text(decoding.source((24, 24, 3), scales))
    names = sorted(one.name for one in tmp_path.iterdir() if len(one.stem) == 1)
    assert len(names) == 8
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(tmp_path), *names],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted = np.stack([decoded(tmp_path / name, 24, 3, scales) for name in names])
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), wanted)

"""Draws the sample sheets of the bundled data sets, transfer/datasets/samples/<key>.png.

    python -m tools.make_sample_sheets

Run it after adding a data set of pictures that needs no download, or after changing how one is cut. The same
data give the same pixels, so a test can compare the sheets in the repository with new ones.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from transfer import catalog
from transfer.datasets import Dataset, Samples
from transfer.engine.samples import cache

ROOT = Path(__file__).resolve().parents[1]
TILE, GAP = 56, 2
FEW_CLASSES, COLUMNS = 5, 6


def _tile(picture: np.ndarray) -> Image.Image:
    """One sample, enlarged to 56x56; whole multiples keep their pixels, others are smoothed."""
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("RGBA")
    whole = TILE % picture.shape[0] == 0
    return image.resize((TILE, TILE), Image.Resampling.NEAREST if whole else Image.Resampling.BICUBIC)


def _rows(samples: Samples, classes: int) -> list[list[np.ndarray]]:
    """Pictures row by row: two a column of each class, or a row for each of a few classes."""
    wanted = COLUMNS if classes < FEW_CLASSES else 2
    columns = []
    for label in range(classes):
        members = np.flatnonzero(samples.labels == label)
        # The middle of equal stretches: neighbours in the file are often alike.
        chosen = members[(np.arange(wanted) * 2 + 1) * len(members) // (2 * wanted)]
        columns.append([samples.inputs[index] for index in chosen])
    return columns if classes < FEW_CLASSES else [list(row) for row in zip(*columns, strict=True)]


def sheet(dataset: Dataset) -> Image.Image:
    """The sample sheet of a data set, RGBA; the gaps are transparent and fit any page."""
    rows = _rows(cache.load(dataset).train, len(dataset.classes))
    step = TILE + GAP
    image = Image.new("RGBA", (step * len(rows[0]) - GAP, step * len(rows) - GAP))
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            image.paste(_tile(picture), (right * step, down * step))
    return image


def main() -> None:
    """Writes the sheet of every data set of pictures that needs no download."""
    folder = ROOT / "transfer" / "datasets" / "samples"
    folder.mkdir(exist_ok=True)
    for dataset in catalog.datasets().values():
        if dataset.modality == "image" and not dataset.download_mb:
            sheet(dataset).save(folder / f"{dataset.key}.png", optimize=True)
            print(folder / f"{dataset.key}.png")


if __name__ == "__main__":
    main()

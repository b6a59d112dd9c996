"""What a data set of pictures shows: samples by class, sizes, what is there twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from transfer.datasets import Dataset, Samples
from transfer.pictures import alike, own, pack, uploads
from transfer.pictures.kept import Pictures
from transfer.received.printable import printable

TILE, GAP, A_CLASS = 72, 3, 8
MOST_CLASSES, MOST_PAIRS, MOST_SIZES, MOST_LEFT_OUT = 200, 24, 3000, 200
SHEET_CLASSES, SHEET_TILE = 12, 56
ACROSS, BATCH_TILE, BATCH_GAP = 8, 112, 4
PARTS = ("train", "validation", "test")


def look(dataset: Dataset, parts: Mapping[str, Samples], folder: Path) -> dict[str, Any]:
    """What can be seen of the pictures without a network.

    Args:
        dataset: of the catalog.
        parts: its split: ``train``, ``validation`` and ``test``.
        folder: for the pictures that are shown: ``class-<n>.png`` and ``pair-<n>.png``.

    Returns:
        JSON-able: ``shape``; ``sizes`` as [width, height] of the files, where they are own; ``left_out`` as [name,
        reason]; ``pairs`` of alike pictures, those that lie in different parts first, with ``pair_counts``.
    """
    train = parts["train"]
    for label in range(min(MOST_CLASSES, len(dataset.classes))):
        _strip(_some(train, label, A_CLASS), TILE).save(folder / f"class-{label}.png")
    if dataset.sheet is not None:
        _sheet(train, len(dataset.classes)).save(dataset.sheet)
    pairs, counts = _alike(parts, dataset.classes, folder)
    sizes, left_out = _files(dataset)
    return {
        "shape": list(train.inputs.shape[1:]),
        "sizes": sizes,
        "left_out": left_out[:MOST_LEFT_OUT],
        "left_out_count": len(left_out),
        "pairs": pairs,
        "pair_counts": counts,
    }


def batch(given: np.ndarray, shown: int, folder: Path) -> dict[str, Any]:
    """Draws the first pictures of a batch.

    Args:
        given: pixels from 0 to 255, shape (n, height, width, channels).
        shown: how many are drawn.
        folder: for ``batch.png``.

    Returns:
        JSON-able: ``low``, ``high`` and ``mean`` of the whole batch's pixels.
    """
    rows, step = -(-min(shown, len(given)) // ACROSS), BATCH_TILE + BATCH_GAP
    sheet = Image.new("RGBA", (step * min(ACROSS, len(given)) - BATCH_GAP, step * rows - BATCH_GAP))
    for place, picture in enumerate(np.clip(np.rint(given[:shown]), 0, 255).astype("uint8")):
        sheet.paste(tile(picture, BATCH_TILE), (place % ACROSS * step, place // ACROSS * step))
    sheet.save(folder / "batch.png")
    mean = given.mean(axis=(0, 1, 2)).round(1).tolist()
    return {"low": float(given.min()), "high": float(given.max()), "mean": mean}


def _some(samples: Samples, label: int, wanted: int) -> list[np.ndarray]:
    """Pictures of a class, spread over all there are."""
    members = np.flatnonzero(samples.labels == label)
    chosen = np.unique(np.linspace(0, len(members) - 1, min(wanted, len(members))).round().astype(int))
    return [samples.inputs[int(members[place])] for place in chosen]


def tile(picture: np.ndarray, side: int) -> Image.Image:
    """A picture, uint8, at another size; small ones keep their pixels."""
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).convert("RGBA")
    larger = image.width * 2 <= side
    return image.resize((side, side), Image.Resampling.NEAREST if larger else Image.Resampling.BICUBIC)


def _strip(pictures: list[np.ndarray], side: int) -> Image.Image:
    """Pictures side by side; the gaps are transparent and fit any page."""
    strip = Image.new("RGBA", (max(1, len(pictures)) * (side + GAP) - GAP, side))
    for place, picture in enumerate(pictures):
        strip.paste(tile(picture, side), (place * (side + GAP), 0))
    return strip


def _sheet(samples: Samples, classes: int) -> Image.Image:
    """Two rows of pictures, a column a class, or several of each of few classes."""
    shown = min(classes, SHEET_CLASSES)
    each = max(1, SHEET_CLASSES // (2 * shown))
    columns = [_some(samples, label, 2 * each) for label in range(shown)]
    step = SHEET_TILE + 2
    sheet = Image.new("RGBA", (step * shown * each - 2, step * 2 - 2))
    for number, pictures in enumerate(columns):
        for place, picture in enumerate(pictures):
            at = ((number * each + place // 2) * step, place % 2 * step)
            sheet.paste(tile(picture, SHEET_TILE), at)
    return sheet


def _files(dataset: Dataset) -> tuple[list[list[int]], list[list[str]]]:
    """Sizes of own files, as many as are drawn, and what was left out of them with its reason."""
    seen = own.of(dataset.key)
    if seen is None:
        return [], []
    sizes = seen.sizes[seen.good]
    chosen = np.unique(np.linspace(0, len(sizes) - 1, min(MOST_SIZES, len(sizes))).round().astype(int))
    before = uploads.left_out(dataset.key.partition(":")[2]) if dataset.key.startswith("upload:") else []
    left = [[printable(name), why] for name, why in (*own.pack(seen).bad, *seen.left_out, *before)]
    return sizes[chosen].tolist(), left


def _alike(
    parts: Mapping[str, Samples], classes: tuple[str, ...], folder: Path
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Pairs of alike pictures with their parts and classes, drawn; and how many there are of each kind."""
    facts = [_facts(one) for one in parts.values()]
    digests, thumbnails = (np.concatenate([fact[place] for fact in facts]) for place in (0, 1))
    part = np.repeat(PARTS, [len(one) for one in parts.values()])
    within = np.concatenate([np.arange(len(one)) for one in parts.values()])
    labels = np.concatenate([one.labels for one in parts.values()])
    found = alike.pairs(digests, thumbnails)
    across = [part[first] != part[second] for first, second, _ in found]
    clash = [labels[first] != labels[second] for first, second, _ in found]
    order = sorted(range(len(found)), key=lambda at: (not across[at], not clash[at], not found[at][2]))
    shown = []
    for number, at in enumerate(order[:MOST_PAIRS]):
        both = [(str(part[place]), int(within[place])) for place in found[at][:2]]
        pictures = [parts[name].inputs[place] for name, place in both]
        _strip(pictures, TILE).save(folder / f"pair-{number}.png")
        shown.append(
            {
                "same": found[at][2],
                "parts": [name for name, _ in both],
                "names": [_name(parts[name], place) for name, place in both],
                "classes": [classes[int(labels[place])] for place in found[at][:2]],
            }
        )
    counts = {
        "same": sum(one[2] for one in found),
        "near": sum(not one[2] for one in found),
        "across": int(sum(across)),
        "clash": int(sum(clash)),
    }
    return shown, counts


def _facts(samples: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Digest and small picture of each; known already for own pictures."""
    made = _pack(samples)
    if made is not None:
        places = samples.inputs.places  # type: ignore[attr-defined]  # own  # `Pictures` stand for an array
        return made.facts["digest"][places], made.facts["thumbnail"][places]
    both = [alike.fingerprint(one) for one in samples.inputs]
    digests = np.array([np.frombuffer(exact, "uint64")[0] for exact, _ in both], "uint64")
    return digests, np.stack([thumbnail for _, thumbnail in both])


def _pack(samples: Samples) -> pack.Pack | None:
    inputs: Any = samples.inputs
    return pack.read(inputs.path.parent) if isinstance(inputs, Pictures) else None


def _name(samples: Samples, place: int) -> str:
    made = _pack(samples)
    if made is None:
        return f"picture {place}"
    inputs: Any = samples.inputs
    return printable(made.names[int(inputs.places[place])])

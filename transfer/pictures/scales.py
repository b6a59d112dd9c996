"""What becomes black and what white in deep pictures: found over a data set, kept with a run for later use."""

from __future__ import annotations

import json
from pathlib import Path

from transfer.pictures.decoder import Scales

_FILE = "scales.json"


def full_scale(depth: str, low: float, high: float) -> tuple[float, float]:
    """What becomes black and what becomes white in all pictures of a data set.

    Whole numbers from 0 are scaled by the bits in use: 12-bit cameras store up to 4,095 in 16 bits. Fractions
    from 0 to 1 are scaled by 1.

    Args:
        depth: as `decoder.Header` has it.
        low: lowest value in any picture.
        high: highest value in any picture.
    """
    if low >= 0 and depth != "float":
        bits = next((bits for bits in (8, 10, 12, 14, 16) if high < 2**bits), 0)
        return 0.0, float(2**bits - 1 if bits else high)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1


def written(scales: Scales) -> dict[str, str]:
    """The file that a run keeps them in, by its name, and its text; none if its pictures have eight bits."""
    return {_FILE: json.dumps({depth: list(scale) for depth, scale in scales.items()})} if scales else {}


def kept(folder: Path) -> Scales:
    """The scales of the run in that folder; empty if it has none."""
    try:
        said = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return {depth: (low, high) for depth, (low, high) in said.items()}

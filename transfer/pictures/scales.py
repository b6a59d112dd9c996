"""What became black and what white in a run's deep pictures: kept with the run, for whoever asks its network later."""

from __future__ import annotations

import json
from pathlib import Path

from transfer.pictures.decoder import Scales

_FILE = "scales.json"


def keep(folder: Path, scales: Scales) -> None:
    """Writes them beside the run's weights; nothing when its pictures were of eight bits."""
    if scales:
        (folder / _FILE).write_text(json.dumps({depth: list(scale) for depth, scale in scales.items()}))


def kept(folder: Path) -> Scales:
    """The scales of the run in that folder; empty when it had none."""
    try:
        said = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return {}
    return {depth: (low, high) for depth, (low, high) in said.items()}

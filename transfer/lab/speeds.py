"""What has been measured of the backbones' speed on this machine."""

from __future__ import annotations

import json
import platform

from transfer import settings
from transfer.lab.looking import Question


def known() -> dict[str, float]:
    """Pictures a second of each backbone that was measured here, by key."""
    found: dict[str, float] = {}
    for file in settings.cache("speeds").glob("*.json"):
        try:
            said = json.loads(file.read_text())
            if said["machine"] == platform.node():
                found[said["key"]] = float(said["pictures_per_second"])
        except (OSError, ValueError, KeyError):
            continue
    return found


def question(key: str) -> Question:
    """To be asked of `looking`: a process of its own builds the network and times it."""
    return Question("speed", (), {"backbone": key, "machine": platform.node()})

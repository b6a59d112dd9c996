"""The backbones' speeds measured on this machine."""

from __future__ import annotations

import json
import platform

from transfer import settings
from transfer.lab.data_questions import Question


def known() -> dict[str, float]:
    """Pictures per second of each backbone that has been measured on this machine, by key."""
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
    """The question for `looking`, whose separate process builds the network and times it."""
    return Question("speed", (), {"backbone": key, "machine": platform.node()})

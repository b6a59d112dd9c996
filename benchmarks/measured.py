"""Writes what a benchmark measured, with what it was measured on."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def write(name: str, command: str, figures: dict[str, Any]) -> None:
    """Keeps the figures of one benchmark as JSON, and prints them."""
    about = {
        "command": command,
        "date": date.today().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in ("tensorflow", "keras", "streamlit", "numpy")},
        "figures": figures,
    }
    text = json.dumps(about, indent=2)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)


def read(name: str) -> dict[str, Any]:
    """The figures that were kept, empty when there are none."""
    path = RESULTS / f"{name}.json"
    figures: dict[str, Any] = json.loads(path.read_text())["figures"] if path.exists() else {}
    return figures

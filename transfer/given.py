"""What a run is given from outside: a person's own networks, by the digest of their content.

Written down when the run is asked for, compared whenever it goes on or its network is opened again. Runs of older
versions have no such record, and are opened as they are.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from transfer import catalog
from transfer.backbones.content import compare
from transfer.experiment import Experiment

RECORD = "given.json"


def contents(experiment: Experiment) -> dict[str, str]:
    """By key of its backbone and teacher, the digest of the file it comes from; without those that come from none.

    Raises:
        RequestError: one of them cannot be opened.
    """
    teacher = catalog.strategy(experiment.strategy)(**experiment.options).teacher
    keys = [experiment.backbone, *([teacher] if teacher not in ("", "same") else [])]
    own = {key: catalog.backbone(key).pretrained for key in keys if ":" in key}
    return {key: one.content for key, one in own.items() if one is not None and one.content}


def record(folder: Path, experiment: Experiment) -> None:
    """Writes down what the run of that folder is given, unless that was done before."""
    file = folder / RECORD
    if file.exists() or not (found := contents(experiment)):
        return
    folder.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(found))
    part.replace(file)


def check(folder: Path) -> None:
    """Compares what the run of that folder was given with what lies there now.

    Raises:
        RequestError: a file is gone, or its content is another.
    """
    try:
        known: dict[str, str] = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return
    for key, expected in known.items():
        own = catalog.backbone(key).pretrained
        compare(expected, own.content if own else "", key)

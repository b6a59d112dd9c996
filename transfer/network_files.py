"""A run's inputs from outside: the user's own networks, by the digest of their content.

Recorded when the run is queued, compared whenever it is resumed or its network is reopened. Runs of older
versions have no such record and are opened unchecked.
"""

from __future__ import annotations

import json
from pathlib import Path

from transfer import catalog, whole_file
from transfer.backbones.content import compare
from transfer.experiment import Experiment

RECORD = "given.json"


def contents(experiment: Experiment) -> dict[str, str]:
    """The digest of the file behind the backbone and the teacher, by key; without those that have no file.

    Raises:
        RequestError: one of them cannot be opened.
    """
    teacher = catalog.strategy(experiment.strategy)(**experiment.options).teacher
    keys = [experiment.backbone, *([teacher] if teacher not in ("", "same") else [])]
    own = {key: catalog.backbone(key).pretrained for key in keys if ":" in key}
    return {key: one.content for key, one in own.items() if one is not None and one.content}


def record(folder: Path, experiment: Experiment) -> None:
    """Records the inputs of the run in that folder, unless they are already recorded."""
    file = folder / RECORD
    if file.exists() or not (found := contents(experiment)):
        return
    whole_file.write(file, json.dumps(found))


def check(folder: Path) -> None:
    """Compares the recorded inputs of the run in that folder with the files as they are now.

    Raises:
        RequestError: a file is gone, or its content has changed.
    """
    try:
        known: dict[str, str] = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        return
    for key, expected in known.items():
        own = catalog.backbone(key).pretrained
        compare(expected, own.content if own else "", key)

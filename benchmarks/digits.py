"""The published digit tasks, where the data is here or can be fetched: SVHN to MNIST, MNIST to USPS and back.

    python -m benchmarks.digits [KEY ...]

Protocol: no target labels, the last epoch, the lab's small CNN and defaults, three seeds; the published figures
stand beside (TLlib picks its checkpoint by target labels, SHOT takes the last epoch), with larger networks and
longer training. A task whose data cannot be had is named with the reason, and the others are run.
"""

from __future__ import annotations

import os
import statistics
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import measured
from transfer import Experiment, catalog, train
from transfer.engine.samples import cache
from transfer.errors import LabError

SEEDS = 3
TASKS = {"SVHN to MNIST": ("svhn", "mnist"), "MNIST to USPS": ("mnist", "usps"), "USPS to MNIST": ("usps", "mnist")}
# METHODS: TLlib's rows, and SHOT's for SHOT and the oracle.
PUBLISHED = {
    "source_only": (74.1, 82.1, 74.6),
    "dann": (90.8, 91.7, 95.2),
    "mmd": (82.1, 86.0, 89.5),
    "mcd": (90.6, 94.1, 97.6),
    "cdan": (93.8, 96.0, 97.7),
    "shot": (98.9, 98.0, 98.4),
    "target_oracle": (99.4, 98.0, 99.4),
}


def row(task: str, strategy: str) -> dict[str, Any]:
    """One strategy on one task."""
    source, target = TASKS[task]
    labels = 0 if catalog.strategy(strategy).unlabelled else None
    asked = Experiment(source=source, target=target, strategy=strategy, labels_per_class=labels)
    runs = [train(asked.but(seed=seed)).metrics for seed in range(SEEDS)]
    return {
        "task": task,
        "strategy": strategy,
        "mean": statistics.mean(run["test_accuracy"] for run in runs),
        "accuracies": [run["test_accuracy"] for run in runs],
        "published": PUBLISHED[strategy][list(TASKS).index(task)] / 100,
        "seconds": max(run["seconds"] for run in runs),
    }


def missing(task: str) -> str:
    """Why the task's data cannot be had; empty when it can."""
    try:
        for key in TASKS[task]:
            cache.load(catalog.dataset(key))
    except LabError as problem:
        return str(problem)
    return ""


if __name__ == "__main__":
    wanted = sys.argv[1:] or list(PUBLISHED)
    reasons = {task: missing(task) for task in TASKS}
    found = [row(task, strategy) for task, reason in reasons.items() if not reason for strategy in wanted]
    left_out = {task: reason for task, reason in reasons.items() if reason}
    measured.write("digits", "python -m benchmarks.digits", {"rows": found, "left_out": left_out})

"""Every strategy on digits, from one label a class to all: five seeds, one budget, one backbone.

    python -m benchmarks.strategies [KEY ...]

MNIST-5k to optdigits with the small CNN; each strategy with its own defaults, each run with the
experiment's default epochs. A strategy's runs share a process, and two strategies run at once, one a
core: `seconds` are of runs that had a neighbour. Keys given are measured anew, the others are kept.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import measured
from transfer import Experiment, catalog, train

LABELS = (1, 3, 10, None)
SEEDS = 5
TOGETHER = 2


def asked(strategy: str, labels: int | None, seed: int) -> Experiment:
    """One cell's experiment."""
    return Experiment(target="optdigits", source="mnist_5k", strategy=strategy, labels_per_class=labels, seed=seed)


def rows(strategy: str) -> list[dict[str, object]]:
    """Test accuracy over seeds at each number of labels."""
    found = []
    for labels in LABELS:
        runs = [train(asked(strategy, labels, seed)).metrics for seed in range(SEEDS)]
        accuracies = [run["test_accuracy"] for run in runs]
        found.append(
            {
                "strategy": strategy,
                "labels": labels,
                "mean": statistics.mean(accuracies),
                "deviation": statistics.stdev(accuracies),
                "seconds": statistics.median(run["seconds"] for run in runs),
                "trainable": runs[0]["trainable_weights"],
                "peak_memory_mb": max(run["peak_memory_mb"] for run in runs),
                "accuracies": accuracies,
            }
        )
    return found


def in_a_process(strategy: str) -> list[dict[str, object]]:
    """The strategy's rows, measured by a process of their own."""
    command = [
        sys.executable,
        "-c",
        f"import json; from benchmarks.strategies import rows; print(json.dumps(rows({strategy!r})))",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{strategy}: {done.stderr[-2000:]}")
    found: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    print(strategy, [f"{row['mean']:.3f}" for row in found], file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("TRANSFER_HOME", home)
        for seed in range(SEEDS):
            train(asked("feature_extraction", 1, seed))
        keys = sys.argv[1:] or list(catalog.strategies())
        with ThreadPoolExecutor(TOGETHER) as pool:
            fresh = [row for several in pool.map(in_a_process, keys) for row in several]
    kept = measured.read("strategies").get("rows", []) if sys.argv[1:] else []
    together = [row for row in kept if row["strategy"] not in keys] + fresh
    order = list(catalog.strategies())
    together.sort(key=lambda row: order.index(row["strategy"]))
    measured.write("strategies", "python -m benchmarks.strategies", {"rows": together})

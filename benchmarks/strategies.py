"""Every strategy on digits, from one label a class to all: five seeds, one budget, one backbone.

    python -m benchmarks.strategies [KEY ...]
    python -m benchmarks.strategies colour

The second runs each of them on colour photographs with EfficientNet-Lite0, to see that it finishes.

MNIST-5k to optdigits with the small CNN; each strategy with its own defaults, each run with the
experiment's default epochs. A strategy's runs share a process, and two strategies run at once, one a
core: `seconds` are of runs that had a neighbour. Keys given are measured anew, the others are kept. Strategies without
target labels are measured by `benchmarks.domains`; here only those of them that are named.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import measured
from transfer import Experiment, catalog, train
from transfer.datasets import Dataset, Published, Samples

LABELS = (1, 3, 10, None)
SEEDS = 5
TOGETHER = 2


def asked(strategy: str, labels: int | None, seed: int) -> Experiment:
    """One cell's experiment."""
    return Experiment(target="optdigits", source="mnist_5k", strategy=strategy, labels_per_class=labels, seed=seed)


def labelled() -> list[str]:
    """Strategies that learn from target labels."""
    return [one.key for one in catalog.strategies().values() if not one.unlabelled]


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


def in_a_process(strategy: str, function: str = "rows") -> list[dict[str, object]]:
    """The strategy's rows, measured by a process of their own."""
    code = f"import json; from benchmarks import strategies as b; print(json.dumps(b.{function}({strategy!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{strategy}: {done.stderr[-2000:]}")
    found: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    print(strategy, *(f"{row.get('mean', row.get('test_accuracy')):.3f}" for row in found), file=sys.stderr, flush=True)
    return found


PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "immunohistochemistry")
PATCH, PATCHES = 48, 30


def photographs() -> Published:
    """Patches of five colour photographs; training from the left half of each, test from the right."""
    import skimage.data

    random = np.random.default_rng(0)
    halves: list[list[np.ndarray]] = [[], []]
    for name in PHOTOGRAPHS:
        picture = getattr(skimage.data, name)()[..., :3]
        for half, part in zip(halves, np.array_split(picture, 2, axis=1), strict=True):
            rows = random.integers(0, part.shape[0] - PATCH, PATCHES)
            columns = random.integers(0, part.shape[1] - PATCH, PATCHES)
            half += [part[r : r + PATCH, c : c + PATCH] for r, c in zip(rows, columns, strict=True)]
    labels = np.repeat(np.arange(len(PHOTOGRAPHS)), PATCHES)
    train_part, test_part = (Samples(np.stack(half), labels) for half in halves)
    return Published(train_part, test_part)


def offer() -> None:
    """Puts the photographs into this process' catalog."""
    shape, count = (PATCH, PATCH, 3), 2 * PATCHES * len(PHOTOGRAPHS)
    catalog.datasets()["photographs"] = Dataset(
        "photographs", "Photographs", "", PHOTOGRAPHS, shape, count, "", "", photographs
    )


def in_colour(strategy: str) -> list[dict[str, object]]:
    """One run on colour photographs with the ImageNet network."""
    offer()
    source = "textures" if "source data" in catalog.strategy(strategy).needs else None
    asked_for = Experiment(
        target="photographs", source=source, source_epochs=1, backbone="efficientnet_lite0", strategy=strategy,
        labels_per_class=5, epochs=10, image_size=PATCH,
    )  # fmt: skip
    found = train(asked_for).metrics
    kept = ("test_accuracy", "seconds", "trainable_weights", "weights", "peak_memory_mb")
    return [{"strategy": strategy} | {name: found[name] for name in kept}]


if __name__ == "__main__" and sys.argv[1:] == ["colour"]:
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(TOGETHER) as pool:
        os.environ["TRANSFER_HOME"] = home
        listed = list(pool.map(partial(in_a_process, function="in_colour"), labelled()))
    together = [row for one in listed for row in one]
    measured.write("strategies_colour", "python -m benchmarks.strategies colour", {"rows": together})
elif __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("TRANSFER_HOME", home)
        for seed in range(SEEDS):
            train(asked("feature_extraction", 1, seed))
        keys = sys.argv[1:] or labelled()
        with ThreadPoolExecutor(TOGETHER) as pool:
            fresh = [row for several in pool.map(in_a_process, keys) for row in several]
    kept = measured.read("strategies").get("rows", []) if sys.argv[1:] else []
    together = [row for row in kept if row["strategy"] not in keys] + fresh
    order = list(catalog.strategies())
    together.sort(key=lambda row: order.index(row["strategy"]))
    measured.write("strategies", "python -m benchmarks.strategies", {"rows": together})

"""Adapting without target labels, on digits: MNIST-5k to optdigits, five seeds, the last epoch, defaults.

    python -m benchmarks.domains [KEY ...]

Beside the methods stand the floor (the source's network as it came), the control (`source_only`: the same
further training without the target) and the ceiling (`target_oracle`). `few` is negative transfer made to
order: the target has only the digits 0 to 4. Defaults were chosen on the way back, optdigits to MNIST-5k, whose
target labels were looked at for that; on the pair measured here nothing was chosen. Two strategies run at once, one a
core: `seconds` are of runs that had a neighbour, the source's learning left out. Keys given are measured anew.
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

SEEDS, TOGETHER = 5, 2
FEW = ("5", "6", "7", "8", "9")
FEW_OF = ("source_only", "mmd", "mcc")


def asked(strategy: str, seed: int, without: tuple[str, ...] = ()) -> Experiment:
    """One run's experiment."""
    labels = 0 if catalog.strategy(strategy).unlabelled else None
    return Experiment(
        target="optdigits", source="mnist_5k", strategy=strategy, labels_per_class=labels, seed=seed, without=without
    )


def row(strategy: str, without: tuple[str, ...] = ()) -> dict[str, object]:
    """Test accuracy over seeds."""
    runs = [train(asked(strategy, seed, without)).metrics for seed in range(SEEDS)]
    accuracies = [run["test_accuracy"] for run in runs]
    picks = {name: [run["picks"][name]["test_accuracy"] for run in runs] for name in runs[0].get("picks", {})}
    return {
        "strategy": strategy,
        "few": bool(without),
        "mean": statistics.mean(accuracies),
        "worst": min(accuracies),
        "best": max(accuracies),
        "accuracies": accuracies,
        "picked": {name: statistics.mean(several) for name, several in picks.items()},
        "starts": picks.get("start", []),
        "seconds": max(run["seconds"] for run in runs),
    }


def in_a_process(job: tuple[str, tuple[str, ...]]) -> dict[str, object]:
    """The strategy's row, measured by a process of its own."""
    code = f"import json; from benchmarks import domains as b; print(json.dumps(b.row({job[0]!r}, {job[1]!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{job[0]}: {done.stderr[-2000:]}")
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(*job, f"{found['mean']:.3f} {found['worst']:.3f} {found['seconds']:.0f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ.setdefault("TRANSFER_HOME", home)
        for seed in range(SEEDS):
            train(asked("source_only", seed).but(epochs=1))
        adapting = [one.key for one in catalog.strategies().values() if one.unlabelled]
        keys = sys.argv[1:] or [*adapting, "target_oracle"]
        jobs: list[tuple[str, tuple[str, ...]]] = [(key, ()) for key in keys]
        jobs += [(key, FEW) for key in FEW_OF if key in keys]
        with ThreadPoolExecutor(TOGETHER) as pool:
            fresh = list(pool.map(in_a_process, jobs))
    kept = measured.read("domains").get("rows", []) if sys.argv[1:] else []
    together = [one for one in kept if one["strategy"] not in keys] + fresh
    order = list(catalog.strategies())
    together.sort(key=lambda one: (one["few"], order.index(str(one["strategy"]))))
    measured.write("domains", "python -m benchmarks.domains", {"rows": together})

"""What transfer gains on data that needs no network: five seeds through the command line.

python -m benchmarks.transfer
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks import measured

DIGITS = ["--target", "optdigits", "--source", "mnist_5k", "--backbone", "small_cnn"]
LITE = ["--target", "textures", "--backbone", "efficientnet_lite0"]
ONE = ["--labels-per-class", "1"]
EXPERIMENTS = {
    "optdigits, 1 label a class: fine_tuning from mnist_5k": [*DIGITS, *ONE, "--strategy", "fine_tuning"],
    "optdigits, 1 label a class: from_scratch": [*DIGITS, *ONE, "--strategy", "from_scratch"],
    "optdigits, all labels: fine_tuning from mnist_5k": [*DIGITS, "--strategy", "fine_tuning"],
    "optdigits, all labels: from_scratch": [*DIGITS, "--strategy", "from_scratch"],
    "textures, 1 patch a class: feature_extraction, efficientnet_lite0": [
        *LITE,
        *ONE,
        "--strategy",
        "feature_extraction",
    ],
    "textures, 1 patch a class: from_scratch, small_cnn": [
        *["--target", "textures", "--backbone", "small_cnn"],
        *ONE,
        "--strategy",
        "from_scratch",
    ],
}


def measure(asked: list[str], seeds: int = 5) -> dict[str, object]:
    """Test accuracy over seeds, and the seconds of whole processes, source included."""
    found, seconds = [], []
    for seed in range(seeds):
        start = time.perf_counter()
        command = [sys.executable, "-m", "transfer", "run", *asked, "--seed", str(seed), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - start)
        found.append(json.loads(done.stdout.splitlines()[-1])["metrics"]["test_accuracy"])
    return {
        "mean": statistics.mean(found),
        "deviation": statistics.stdev(found),
        "low": min(found),
        "high": max(found),
        "seconds": max(seconds),
        "accuracies": found,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRANSFER_HOME"] = home
        rows = [{"what": what, **measure(asked)} for what, asked in EXPERIMENTS.items()]
    measured.write("transfer", "python -m benchmarks.transfer", {"rows": rows})

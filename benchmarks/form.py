"""Edits of the form at random: 500 sequences of choices, numbers, clearings, races, reloads; none ends in a traceback.

    python -m benchmarks.form [HOW MANY] [FIRST SEED]

Prints what led to each traceback, and the time a drawing of the page takes. Nothing is trained.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

SEQUENCES = 500


def main(count: int, first: int) -> int:
    """Runs the sequences; how many ended in a traceback."""
    from tests.edits import sequence
    from tests.test_form import quiet

    broken, edits, began = 0, 0, time.perf_counter()
    for seed in range(first, first + count):
        with tempfile.TemporaryDirectory() as home, pytest.MonkeyPatch.context() as patch:
            opened = quiet(patch, Path(home))
            done, traceback = sequence(seed, opened)
        edits += len(done)
        if (seed - first + 1) % 50 == 0:
            print(f"{seed - first + 1} sequences, {broken} tracebacks before this one", flush=True)
        if traceback:
            broken += 1
            print(f"seed {seed}: {'; '.join(done)}\n{traceback}\n", flush=True)
    took = time.perf_counter() - began
    print(f"{count} sequences, {edits} edits, {broken} tracebacks, {took:.0f} s, {took / edits:.2f} s an edit")
    return broken


if __name__ == "__main__":
    os.environ["TRANSFER_STANDBY"] = "0"
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(1 if main(given[0] if given else SEQUENCES, given[1] if len(given) > 1 else 0) else 0)

"""What looking at both domains after every epoch costs a run, pairwise in one process.

    python -m benchmarks.embedding

Deep CORAL on MNIST-5k to optdigits with its events written to a store, with the look (validators, A-distance, both
domains in the plane) and without; they take turns. `share` is the time inside the look over the whole run's.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks import measured
from transfer import Experiment
from transfer.engine.judge.domains import Domains
from transfer.engine.train import train
from transfer.lab.process import myself
from transfer.lab.recorder import Recorder
from transfer.lab.store import Store

ROUNDS = 3
ASKED = Experiment(target="optdigits", source="mnist_5k", strategy="deep_coral", labels_per_class=0)
seen = Domains.look
spent: list[float] = []


def timed(self: Domains, *given: Any) -> Any:
    """The look itself, with its seconds noted."""
    begin = time.perf_counter()
    found = seen(self, *given)
    spent.append(time.perf_counter() - begin)
    return found


def blind(self: Domains, *given: Any) -> Any:
    """No look after the first."""
    return seen(self, *given) if not self.plane else ({}, self._drawn(None, self.plane["mean"][None], 0.0))


def seconds(look: Any) -> float:
    """Of a run whose source is known, from its beginning to its end."""
    Domains.look = look  # type: ignore[method-assign]  # what is timed
    store = Store()
    claimed = store.claim(myself(), "cpu", only=store.add_run(ASKED, reserved=myself()))
    assert claimed is not None
    begin = time.perf_counter()
    with Recorder(store, claimed) as recorder, tempfile.TemporaryDirectory() as folder:
        train(ASKED, recorder.emit, recorder.should_stop, Path(folder))
    return time.perf_counter() - begin


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRANSFER_HOME"] = home
        seconds(timed)
        rows = []
        for index in range(ROUNDS):
            spent.clear()
            order = (("with", timed), ("without", blind)) if index % 2 else (("without", blind), ("with", timed))
            taken = {name: seconds(look) for name, look in order}
            rows.append(taken | {"look": sum(spent)})
    share = statistics.median(row["look"] / row["with"] for row in rows)
    ratio = statistics.median(row["with"] / row["without"] for row in rows)
    measured.write("embedding", "python -m benchmarks.embedding", {"seconds": rows, "share": share, "ratio": ratio})

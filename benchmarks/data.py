"""The way of own pictures: can the pipeline feed the network, and what memory does a large folder take?

    python -m benchmarks.data

`pipeline`: pictures a second out of the files (decoded once), out of the decoded pictures (every epoch, plain and
augmented), and what EfficientNet-Lite0 at 224 px consumes; they take turns. `memory`: the peak of a whole run, feature
extraction and fine-tuning, on folders of growing size, each in a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import measured
from transfer import Experiment, catalog

CLASSES, SIDE, BATCH = 4, 224, 64
SIZES = (200, 1000, 7500)
FINE_TUNED = (200, 1000)


def photographs(root: Path, count: int, kind: str = "large") -> float:
    """A folder of JPEGs as cameras make them, and its size in GB.

    Large ones (about 1 MB) are noise over a gradient, each file with an ending of its own; ordinary ones are the
    photographs that come with scikit-image, about 60 kB.
    """
    made = list(_large() if kind == "large" else _ordinary())
    size = 0
    for place in range(count):
        folder = root / f"class{place % CLASSES}"
        folder.mkdir(parents=True, exist_ok=True)
        content = made[place % len(made)] + place.to_bytes(4, "big")  # after a JPEG's end nothing is read
        (folder / f"{place:05}.jpg").write_bytes(content)
        size += len(content)
    return size / 1e9


def _large() -> Iterator[bytes]:
    from PIL import Image

    random = np.random.default_rng(0)
    slope = np.linspace(0, 120, 1000)[None, :, None]
    for _ in range(24):
        buffer = BytesIO()
        picture = np.clip(random.normal(70, 45, (800, 1000, 3)) + slope, 0, 255).astype("uint8")
        Image.fromarray(picture).save(buffer, "JPEG", quality=93)
        yield buffer.getvalue()


def _ordinary() -> Iterator[bytes]:
    from PIL import Image
    from skimage import data

    for one in (data.astronaut, data.coffee, data.chelsea, data.rocket):
        buffer = BytesIO()
        Image.fromarray(one()).convert("RGB").resize((500, 375)).save(buffer, "JPEG", quality=90)
        yield buffer.getvalue()


def pipeline(rounds: int = 3, count: int = 640) -> dict[str, object]:
    """Pictures a second of every part, and the pipeline's over the network's."""
    from transfer.datasets import Samples
    from transfer.engine.network.network import Knowledge, Network
    from transfer.engine.samples import cache
    from transfer.engine.samples.batches import batches
    from transfer.modalities.image import working as image

    with tempfile.TemporaryDirectory() as place:
        photographs(Path(place), count, "ordinary")
        found = catalog.dataset(f"folder:{place}")
        begin = time.perf_counter()
        published = cache.load(found)
        decoded = count / (time.perf_counter() - begin)
        samples = published.train
        backbone = catalog.backbone("efficientnet_lite0")
        network = Network(backbone, samples.inputs.shape[1:], SIDE, Knowledge("ImageNet", "own", own=True))
        through = network.prefix(list(network.names))
        few = np.asarray(samples.inputs[np.arange(BATCH)])
        through(few)

        def fed(vary: Any) -> float:
            begin = time.perf_counter()
            for _ in batches(Samples(samples.inputs, samples.labels), BATCH, [0], 0, 0, vary):
                pass
            return len(samples) / (time.perf_counter() - begin)

        def eaten() -> float:
            begin = time.perf_counter()
            for _ in range(3):
                through(few)
            return 3 * BATCH / (time.perf_counter() - begin)

        fed(image)
        rows = [{"plain": fed(None), "augmented": fed(image), "network": eaten()} for _ in range(rounds)]
    middle = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return {
        "pictures_per_second": {"decoded_once": decoded, **middle},
        "ratio_plain": statistics.median(row["plain"] / row["network"] for row in rows),
        "ratio_augmented": statistics.median(row["augmented"] / row["network"] for row in rows),
        "ratio_decoding": decoded / middle["network"],
        "rounds": rows,
    }


def run(folder: str, strategy: str) -> None:
    """One run on that folder; prints its peak memory in MB and its seconds."""
    from transfer.engine.train import train

    begin = time.perf_counter()
    asked = Experiment(
        target=f"folder:{folder}", backbone="efficientnet_lite0", strategy=strategy, epochs=2,
        augment=strategy != "feature_extraction",
        image_size=None if strategy == "feature_extraction" else 64,
    )  # fmt: skip
    train(asked)
    print(json.dumps({"peak_mb": peak_mb(), "seconds": time.perf_counter() - begin}))


def peak_mb() -> float:
    """The most this process has held; getrusage would count what its parent held before it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def memory() -> dict[str, object]:
    """Peak memory of whole runs by the size of their folder."""
    rows = []
    for strategy, sizes in (("feature_extraction", SIZES), ("fine_tuning", FINE_TUNED)):
        for count in sizes:
            with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as home:
                size = photographs(Path(place), count)
                done = subprocess.run(
                    [sys.executable, "-c", f"from benchmarks.data import run; run({place!r}, {strategy!r})"],
                    env={**os.environ, "TRANSFER_HOME": home},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                said = json.loads(done.stdout.splitlines()[-1])
                rows.append({"strategy": strategy, "pictures": count, "gigabytes": round(size, 2), **said})
                print(rows[-1], flush=True)
    above = {
        strategy: max(row["peak_mb"] for row in rows if row["strategy"] == strategy)
        - min(row["peak_mb"] for row in rows if row["strategy"] == strategy)
        for strategy in ("feature_extraction", "fine_tuning")
    }
    return {"rows": rows, "above_the_smallest_mb": above}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRANSFER_HOME"] = home
        figures = {"pipeline": pipeline(), "memory": memory()}
    measured.write("data", "python -m benchmarks.data", figures)

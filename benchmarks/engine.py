"""The engine against Keras used the textbook way, pairwise in one run.

    python -m benchmarks.engine

`events`: seconds of a run with points, validation and checkpoints, over bare Keras fit of the same
model and data; the two take turns. `features`: a frozen ImageNet backbone inside fit, over the
engine's cached features, first time and second; each in a process of its own, after the same warm-up.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import measured
from transfer import Experiment, catalog
from transfer.datasets import Dataset, Published, Samples

SIZE, COUNT, EPOCHS = 96, 1000, 10


def thousand() -> Published:
    """1,000 training pictures of 96 px after the split, 176 for validation, 100 for the test."""
    from PIL import Image

    digits = catalog.dataset("mnist_5k").load().train
    order = np.random.default_rng(0).permutation(len(digits))[: COUNT + 276]
    big = np.stack(
        [np.asarray(Image.fromarray(one[..., 0]).resize((SIZE, SIZE)).convert("RGB")) for one in digits.inputs[order]]
    )
    labels = digits.labels[order]
    return Published(Samples(big[:-100], labels[:-100]), Samples(big[-100:], labels[-100:]))


def offer() -> None:
    """Puts the thousand pictures into this process' catalog."""
    names = tuple(str(digit) for digit in range(10))
    catalog.datasets()["thousand"] = Dataset(
        "thousand", "Thousand", "", names, (SIZE, SIZE, 3), COUNT, "", "", thousand
    )


def asked() -> Experiment:
    """Feature extraction on the thousand pictures."""
    return Experiment(
        target="thousand", backbone="efficientnet_lite0", strategy="feature_extraction", epochs=EPOCHS, image_size=SIZE
    )


def textbook() -> float:
    """Seconds of the frozen backbone inside fit, as in the guides, data and weights included."""
    import keras

    from transfer.engine.samples import splits

    splits.split(catalog.dataset("thousand"), 0)
    start = time.perf_counter()
    split = splits.split(catalog.dataset("thousand"), 0)
    backbone = catalog.backbone("efficientnet_lite0")
    assert backbone.pretrained is not None
    stages = backbone.build(SIZE)
    backbone.pretrained.load(stages)
    base = keras.Sequential(stages)
    base.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    model = keras.Model(inputs, keras.layers.Dense(10)(base(inputs, training=False)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    validation = (split.validation.inputs, split.validation.labels)
    model.fit(split.train.inputs, split.train.labels, epochs=EPOCHS, validation_data=validation, verbose=0)
    model.evaluate(split.test.inputs, split.test.labels, verbose=0)
    return time.perf_counter() - start


def engine() -> float:
    """Seconds of the same run by the engine."""
    from transfer.engine.samples import splits
    from transfer.engine.train import train

    splits.split(catalog.dataset("thousand"), 0)
    start = time.perf_counter()
    train(asked())
    return time.perf_counter() - start


def in_a_process(name: str, home: Path) -> float:
    """What `name` takes in a process that is as ready as a standby: imports done, one small step trained."""
    ready = "from transfer.engine.measure.warm_up import warm_up; warm_up(); import benchmarks.engine as b; b.offer()"
    code = f"{ready}; print(b.{name}())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TRANSFER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def features(rounds: int = 2) -> dict[str, object]:
    """Textbook over engine, first time and second, the median of the rounds' ratios."""
    rows = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as home:
            rows.append([in_a_process(name, Path(home)) for name in ("textbook", "engine", "engine")])
    return {
        "seconds": [{"textbook": a, "first": b, "second": c} for a, b, c in rows],
        "times_faster_first": statistics.median(a / b for a, b, _ in rows),
        "times_faster_second": statistics.median(a / c for a, _, c in rows),
    }


def bare(epochs: int) -> float:
    """Seconds of Keras fit on the small CNN from its first batch to its last validation."""
    import keras

    from transfer.engine.loop import device
    from transfer.engine.samples import splits
    from transfer.modalities.image import working as image

    device.fix_seeds(0)
    split = splits.split(catalog.dataset("mnist_5k"), 0)
    stages = [image.entrance((28, 28, 1), 28, 1), *catalog.backbone("small_cnn").build(28)]
    model = keras.Sequential(stages)
    model.add(keras.layers.Dense(10, name="head"))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, metrics=["accuracy"])
    validation = (split.validation.inputs, split.validation.labels)
    start = time.perf_counter()
    model.fit(split.train.inputs, split.train.labels, epochs=epochs, validation_data=validation, verbose=0)
    return time.perf_counter() - start


def with_events(epochs: int) -> float:
    """Seconds of the same by the engine, its events written to a store as a run's are."""
    from transfer.engine.events import Event, PhaseBegan, Stage
    from transfer.engine.train import train
    from transfer.lab.process import myself
    from transfer.lab.recorder import Recorder
    from transfer.lab.store import Store

    times: dict[str, float] = {}
    experiment = Experiment(target="mnist_5k", strategy="from_scratch", epochs=epochs)
    store = Store()
    claimed = store.claim(myself(), "cpu", only=store.add_run(experiment, reserved=myself()))
    assert claimed is not None
    with Recorder(store, claimed) as recorder, tempfile.TemporaryDirectory() as folder:

        def emit(event: Event) -> None:
            if isinstance(event, PhaseBegan):
                times["begin"] = time.perf_counter()
            elif isinstance(event, Stage) and event.text.startswith("testing"):
                times["end"] = time.perf_counter()
            recorder.emit(event)

        train(experiment, emit, recorder.should_stop, Path(folder))
    return times["end"] - times["begin"]


def events(rounds: int = 4, epochs: int = 4) -> dict[str, object]:
    """Engine over bare fit, the median of the rounds' ratios; they take turns at going first."""
    bare(1), with_events(1)
    rows = []
    for index in range(rounds):
        order = (bare, with_events) if index % 2 else (with_events, bare)
        taken = {one.__name__: one(epochs) for one in order}
        rows.append(taken)
    return {"seconds": rows, "ratio": statistics.median(row["with_events"] / row["bare"] for row in rows)}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["TRANSFER_HOME"] = home
        found = {"events": events(), "features": features()}
    measured.write("engine", "python -m benchmarks.engine", json.loads(json.dumps(found)))

"""An exported network in a plain Keras script, in a process that does not have the project."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests import tiny
from transfer import Experiment, settings, train
from transfer.__main__ import app
from transfer.engine.inspect.rebuilt import target_split
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.samples import arrays
from transfer.lab import Lab

SMALL = Experiment(
    target=tiny.TARGET, source=tiny.SOURCE, source_epochs=1, backbone=tiny.NETWORK, epochs=1, labels_per_class=2,
    batch_size=10, image_size=20,
)  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "lora": {"strategy": "lora", "options": {"hidden": "16"}},
    "own_layers": {"strategy": "stoch_norm"},
    "coloured": {"strategy": "feature_extraction", "source": None, "backbone": tiny.PRETRAINED},
    "faces": {"strategy": "from_scratch", "source": None, "backbone": tiny.PRETRAINED, "target": "faces"},
}
SCRIPT = """
import json, sys, zipfile
import keras, numpy as np
try:
    import transfer
    sys.exit("the project is here")
except ImportError:
    pass
for name in sys.argv[1:]:
    model = keras.models.load_model(name + ".keras")
    np.save(name + ".answers.npy", model.predict(np.load(name + ".pictures.npy"), verbose=0))
    print(zipfile.ZipFile(name + ".keras").read("classes.json").decode())
    compile(zipfile.ZipFile(name + ".keras").read("pictures.py"), "pictures.py", "exec")
"""


def softmax(logits: np.ndarray) -> np.ndarray:
    high = np.exp(logits - logits.max(axis=1, keepdims=True))
    return high / high.sum(axis=1, keepdims=True)


def test_a_plain_script_predicts_the_same(tmp_path: Path, here: Lab, world: None) -> None:
    warm_up(lambda: True)
    wanted = {}
    for kind, changes in KINDS.items():
        asked = SMALL.but(**changes)
        run = here.store.add_run(asked)
        train(asked, folder=settings.run_folder(run))
        said = CliRunner().invoke(
            app, ["export", run, "--format", "keras", "--output", str(tmp_path / f"{kind}.keras")]
        )
        assert said.exit_code == 0, said.output
        np.save(tmp_path / f"{kind}.pictures.npy", target_split(asked).test.inputs)
        wanted[kind] = softmax(arrays.read(settings.run_folder(run) / "test.npz")["logits"])
    names = [str(tmp_path / kind) for kind in KINDS]
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, *names], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for kind, name in zip(KINDS, names, strict=True):
        np.testing.assert_allclose(np.load(f"{name}.answers.npy"), wanted[kind], atol=1e-5)
    assert [len(json.loads(line)) for line in done.stdout.splitlines()] == [10, 10, 10, 2]


@pytest.mark.parametrize(("name", "words"), [("net.h5", "ends in .keras"), ("none/net.keras", "not there")])
def test_a_place_that_cannot_be_is_refused_in_words(
    name: str, words: str, tmp_path: Path, here: Lab, world: None
) -> None:
    run = here.store.add_run(SMALL)
    said = CliRunner().invoke(app, ["export", run, "--output", str(tmp_path / name)])
    assert said.exit_code == 2
    assert words in said.output

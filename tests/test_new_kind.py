"""A new kind of sample is a few new files: numbers in a table, added to a copy of the lab, learned and looked at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

FILES = {
    "transfer/modalities/table/__init__.py": '''
"""Rows of a table."""
from transfer.experiment import Options
from transfer.modalities import Kind

class Intake(Options):
    """Rows have no options."""

KIND = Kind("table", "row", "rows", "columns", Intake, "columns")
''',
    "transfer/modalities/table/working.py": '''
"""Rows of numbers."""
import keras
import numpy as np

def read(inputs, backbone, size):
    return inputs

def blank(count, shape, size):
    return np.zeros((count, *shape), "float32")

def entrance(shape, size, channels):
    rows = keras.Input(shape, name="rows")
    return keras.Model(rows, rows * 1.0, name="entrance")

def pooled(stage):
    return stage

def baseline(known, asked):
    return None

def augment(samples, random):
    return (samples + random.normal(0, 0.1, samples.shape)).astype("float32")

def view(name, samples, random, backbone=None):
    return samples if name == "plain" else augment(samples, random)
''',
    "transfer/modalities/table/look.py": '''
"""What a table shows."""

def look(dataset, parts, folder):
    return {"means": parts["train"].inputs.mean(axis=0).tolist()}
''',
    "pages/kinds/table.py": '''
"""Rows on the pages."""
import streamlit as st
from pages.parts.data import contents

WHERE, WIDTH = "Which columns", 160
USUAL = {"backbone": "two_layers", "strategy": "from_scratch", "source": None}

def _classes(dataset, seed):
    answer = contents.contents(dataset, seed)
    if answer is not None and answer.found is not None:
        st.write("means", answer.found["means"])

VIEWS = {"Classes": _classes, "Split": contents.split, "Distance": contents.distance}

def size(dataset):
    return f"{dataset.shape[0]} columns"

def input(network):
    return f"{network.size} columns"

def samples(dataset, width):
    st.caption("rows of numbers")
    return True

def sample(sample, words):
    st.code(", ".join(f"{one:g}" for one in sample))

def where(run, answers):
    st.caption("nothing is known of columns")

def try_it(runs):
    st.text_input("A row")
''',
    "transfer/datasets/flowers.py": '''
"""Iris."""
from sklearn.datasets import load_iris
from transfer.datasets import Dataset, Published, Samples

def _load():
    rows, labels = load_iris(return_X_y=True)
    return Published(Samples(rows.astype("float32"), labels.astype("int64")))

IRIS = Dataset("iris", "Iris", "Flowers in numbers.", ("setosa", "versicolor", "virginica"), (4,), 150, "CC BY 4.0",
               "Fisher 1936", _load, modality="table")
''',
    "transfer/backbones/two_layers.py": '''
"""Two dense layers."""
from transfer.backbones import Backbone

def build(size):
    import keras
    entry, between = keras.Input((size,)), keras.Input((16,))
    return [keras.Model(entry, keras.layers.Dense(16, "relu")(entry), name="lower"),
            keras.Model(between, keras.layers.Dense(16, "relu")(between), name="upper")]

TWO_LAYERS = Backbone("two_layers", "Two layers", "For tables.", 352, ("lower", "upper"), 4, 4, 0, "Apache-2.0", "none",
                      build, modality="table", parts=frozenset({"biases", "kernels"}))
''',
}
# As a person would, in one process: each would import TensorFlow.
USED = """
import json
from streamlit.testing.v1 import AppTest
from transfer import Experiment
from transfer.lab import Lab, answers
from transfer.lab.in_process import run_here
from transfer.lab.data_questions import Question, find_out
from transfer.lab.process import myself

lab = Lab()
run = lab.submit(Experiment(target="iris", backbone="two_layers", strategy="from_scratch"), reserved=myself())
state = run_here(lab, run, lambda event: None, lambda words: None)
find_out(Question("look", ("iris",), {"seed": 0}))
from transfer.lab import calling
calling.ask = lambda question, seconds=0, **about: answers.QUESTIONS[question](**about)
trouble, said = [], []
for page, query in (
    ("lab", {"run": run}), ("data", {}), ("runs", {}), ("compare", {"runs": run}), ("try_it", {"runs": run}),
    *(("run", {"run": run, "part": part}) for part in
      ("curves", "metrics", "confusion", "mistakes", "look", "plane", "moved", "about")),
):
    app = AppTest.from_file("app.py", default_timeout=60)
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    if page == "data":
        app.session_state["data_key"] = "iris"
    app.run()
    trouble += [f"{page} {query}: {one.value}" for one in app.exception] + [one.value for one in app.error]
    told = [one.value for kind in (app.markdown, app.caption, app.success) for one in kind]
    said += [line for line in told if page != "data" or "row" in line]  # it says how to add pictures
print(json.dumps([state, lab.run(run).metrics["test_accuracy"], trouble, "\\n".join(said)]))
"""


def test_a_kind_is_a_few_new_files_of_less_than_150_lines_and_every_page_opens_with_it(tmp_path: Path) -> None:
    assert sum(len(text.strip().splitlines()) for text in FILES.values()) < 150
    for folder in ("transfer", "pages"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "app.py", tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.lstrip())
    ran = subprocess.run(
        [sys.executable, "-c", USED], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"TRANSFER_HOME": str(tmp_path / "home"), "TRANSFER_STANDBY": "0", "TRANSFER_ESTIMATES": "0"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    state, accuracy, trouble, said = json.loads(ran.stdout.splitlines()[-1])
    assert state == "finished" and accuracy > 0.8
    assert trouble == []
    for words in (
        "150 rows · 3 classes · 4 columns",
        "nothing is known of columns",
        "On 38 test rows",
        "rows of numbers",
    ):
        assert words in said
    assert not [line for line in said.splitlines() if "picture" in line], "every sentence has the kind's own noun"

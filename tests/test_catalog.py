"""The catalog finds plug-ins by walking folders; the contract that each of them keeps."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transfer import Experiment, catalog
from transfer.strategies import Setting, Strategy

ROOT = Path(__file__).parent.parent
STAGES = ("low", "middle", "high")

# Which packages of `transfer` a file in each folder may import: the arrows point one way.
MAY_IMPORT = {
    "experiment": {"errors"},
    "errors": set(),
    "ids": set(),
    "network_files": {"whole_file", "backbones", "catalog", "experiment"},
    "settings": {"ids"},
    "removal": {"settings"},
    "fetching": {"errors", "settings"},
    "separate_process": {"errors"},
    "whole_file": set(),
    "counted": {"datasets", "errors", "settings", "whole_file"},
    "fixed": {"backbones", "experiment", "strategies"},
    "void": {"backbones", "errors", "experiment", "strategies"},
    "spending": {"catalog", "experiment", "strategies"},
    "catalog": {
        "backbones",
        "counted",
        "datasets",
        "errors",
        "experiment",
        "fixed",
        "modalities",
        "seen",
        "settings",
        "strategies",
        "void",
    },
    "seen": {"seen", "whole_file", "datasets", "errors", "experiment", "pictures", "settings"},
    "backbones": {
        "backbones",
        "whole_file",
        "separate_process",
        "errors",
        "fetching",
        "ids",
        "modalities",
        "seen",
        "settings",
        "texts",
    },
    "datasets": {"datasets", "separate_process", "errors", "fetching", "pictures", "removal", "settings", "texts"},
    "received": {"received", "errors", "ids", "removal", "settings"},
    "pictures": {
        "datasets",
        "errors",
        "experiment",
        "ids",
        "pictures",
        "received",
        "removal",
        "settings",
        "whole_file",
    },
    "modalities": {
        "modalities",
        "backbones",
        "datasets",
        "errors",
        "experiment",
        "pictures",
        "received",
        "seen",
        "settings",
        "texts",
        "whole_file",
    },
    "texts": {"texts", "whole_file", "datasets", "errors", "ids", "received", "removal", "settings"},
    "strategies": {"strategies", "backbones", "experiment", "losses", "errors"},
    "losses": {"losses"},
    "engine": {
        "engine",
        "backbones",
        "catalog",
        "counted",
        "datasets",
        "errors",
        "experiment",
        "fetching",
        "network_files",
        "modalities",
        "pictures",
        "seen",
        "settings",
        "spending",
        "strategies",
        "texts",
        "void",
        "received",
        "whole_file",
    },
    "insight": {"insight", "catalog", "errors", "experiment", "engine", "strategies", "pictures", "settings"},
    "lab": {
        "lab",
        "backbones",
        "pictures",
        "engine",
        "catalog",
        "counted",
        "errors",
        "experiment",
        "network_files",
        "ids",
        "insight",
        "removal",
        "seen",
        "settings",
        "modalities",
        "whole_file",
        "received",
    },
    "__init__": {"experiment", "engine"},
    "possible": {"catalog", "counted", "errors", "experiment", "modalities"},
    "listing": {"seen", "backbones", "catalog", "datasets", "lab", "strategies"},
    "data_commands": {"catalog", "lab"},
    "reading": {"datasets", "errors", "pictures", "received", "texts"},
    "export": {"engine", "errors", "export", "pictures", "seen", "settings"},
    "__main__": {"export", "data_commands", "lab", "catalog", "errors", "experiment", "listing", "possible", "reading"},
}


# Strategies that train nothing, in one epoch.
COMPUTED = ("prototypes", "zero_shot_names", "unchanged")


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "transfer").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_imports_point_one_way(path: Path) -> None:
    place = path.relative_to(ROOT / "transfer").parts[0].removesuffix(".py")
    names = imported(path)
    assert not {name for name in names if name.split(".")[0] == "streamlit"}
    inner = {name.split(".")[1] for name in names if name.startswith("transfer.") and name.count(".")}
    assert inner - {"Experiment", "__version__"} <= MAY_IMPORT[place] | {"errors"}, f"{path} imports {inner}"


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))], ids=lambda path: path.name)
def test_pages_never_reach_into_the_engine(path: Path) -> None:
    assert not {name for name in imported(path) if name.split(".")[0] in {"keras", "tensorflow"}}
    assert not {name for name in imported(path) if name.startswith("transfer.engine") and "events" not in name}


def test_reading_the_catalog_imports_no_heavy_library() -> None:
    script = (
        "import sys; from transfer import catalog, Experiment; catalog.check(Experiment(source='mnist_5k'));"
        "catalog.backbones(); catalog.datasets();"
        "print(sorted({'tensorflow','keras','sklearn','skimage','mlxtend','torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("strategy", catalog.strategies().values(), ids=lambda one: one.key)
def test_a_strategy_tells_what_it_is_and_spends_just_the_budget(strategy: type[Strategy]) -> None:
    for text in (strategy.key, strategy.title, strategy.sentence, strategy.formula, strategy.frozen):
        assert text
    assert "](http" in strategy.reference
    assert "Reference:" in (strategy.__doc__ or "")
    for field in strategy.Options.model_fields.values():
        assert field.description
    for keeps_head in (False, True):
        for epochs in (1, 2, 7, 40):
            phases = strategy().phases(Setting(STAGES, epochs, None, keeps_head))
            assert sum(phase.epochs for phase in phases) == (1 if strategy.key in COMPUTED else epochs)
            assert all(phase.epochs >= 1 and phase.learning_rate > 0 for phase in phases)
            assert all(set(phase.rates) <= set(STAGES) for phase in phases)
        chosen = strategy().phases(Setting(STAGES, 9, 0.05, keeps_head))
        assert chosen[0].learning_rate <= 0.05


def test_keys_are_the_contracts() -> None:
    assert {"from_scratch", "feature_extraction", "fine_tuning"} <= set(catalog.strategies())
    assert {"optdigits", "mnist_5k", "textures", "faces", "mnist", "fashion_mnist", "cifar10", "cifar100"} <= set(
        catalog.datasets()
    )
    named = {"small_cnn", "dense", "efficientnet_lite0", "mobilenet_v2", "vgg16", "resnet50", "inception_v3"}
    assert named <= set(catalog.backbones())


NEW_STRATEGY = '''
"""Fine-tuning with the size of the features held down."""
from keras import ops

from transfer.strategies import Phase, Setting, Step, Strategy, Term


def size(step: Step):
    """Mean square of the features."""
    return ops.mean(ops.square(step.features))


class SmallFeatures(Strategy):
    """As it says."""

    key = "small_features"
    title = "Small features"
    sentence = "Fine-tuning that keeps features small."
    formula = "L + 0.1 |f|^2"
    frozen = "nothing"
    reference = "[none](https://example.org)"

    def phases(self, setting: Setting) -> list[Phase]:
        """One."""
        rates = dict.fromkeys(setting.stages, 0.5)
        return [Phase("train", setting.epochs, 1e-3, rates, terms={"size": Term(0.1, size)})]
'''


USED = """
import json
from typer.testing import CliRunner
from transfer.__main__ import app
from transfer.lab.lab import Lab
print(CliRunner().invoke(app, ["list", "strategies", "--json"]).stdout.replace("\\n", ""))
asked = ["run", "--target", "optdigits", "--backbone", "dense", "--strategy", "small_features"]
asked += ["--source", "mnist_5k", "--source-epochs", "1", "--epochs", "2", "--labels-per-class", "2", "--json"]
said = CliRunner().invoke(app, asked, catch_exceptions=False).stdout.splitlines()[-1]
print(said)
print(json.dumps(list(Lab().history(json.loads(said)["run"]).columns)))
"""


def test_a_strategy_is_one_new_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "transfer", tmp_path / "transfer", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "transfer" / "strategies" / "small_features.py").write_text(NEW_STRATEGY)
    # As `python -m transfer` would, in one process: each would import TensorFlow.
    ran = subprocess.run(
        [sys.executable, "-c", USED], cwd=tmp_path, env=os.environ | {"TRANSFER_STANDBY": "0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    listed, ended, columns = map(json.loads, ran.stdout.splitlines()[-3:])
    assert "small_features" in {one["key"] for one in listed}
    assert ended["state"] == "finished"
    assert {"size", "cross_entropy", "loss"} <= set(columns)


NEW_KEYS = """
from transfer.datasets import Dataset, Family


def opened(rest):
    return Dataset("blank:" + rest, "Blank", "", ("a", "b"), (4, 4, 1), int(rest), "", "", lambda: None)


BLANK = Family("blank", opened, lambda: ["blank:7"])
"""


def test_a_kind_of_key_is_one_new_file(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "transfer", tmp_path / "transfer", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "transfer" / "datasets" / "blank.py").write_text(NEW_KEYS)
    script = (
        "from transfer import catalog; print(catalog.dataset('blank:5').count,"
        "catalog.dataset('blank:5~noise:2').key, [one.key for one in catalog.own_datasets()])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "5 blank:5~noise:2 ['blank:7']"


def test_an_experiment_can_be_asked_for_any_pair_of_the_catalog() -> None:
    for backbone in catalog.backbones().values():
        if backbone.pretrained is not None:
            target = "optdigits" if backbone.modality == "image" else "austen"
            catalog.check(Experiment(target=target, backbone=backbone.key, strategy="feature_extraction"))

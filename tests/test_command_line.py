"""The command line: exit status, words, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from transfer import catalog, counted
from transfer.__main__ import app
from transfer.engine.events import PhaseBegan, Point, Stage
from transfer.errors import ImpossibleExperiment, OutOfMemory
from transfer.experiment import Experiment
from transfer.lab import Lab, checks
from transfer.lab.races import entries

ASKED = ["--source", "mnist_5k", "--labels-per-class", "2", "--epochs", "3"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    return tmp_path / "home"


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def engine(
    monkeypatch: pytest.MonkeyPatch, state: str = "finished", problem: Exception | None = None
) -> list[Experiment]:
    asked: list[Experiment] = []

    def train(experiment: Experiment, emit: Any, **_rest: object) -> SimpleNamespace:
        asked.append(experiment)
        emit(Stage("loading the data"))
        emit(PhaseBegan(0, "train the head", "target", 0, 3, 10, 100, {}))
        emit(Point("validation", "target", 0, 1.0, 5, 0.1, {"accuracy": 0.75}))
        if problem:
            raise problem
        metrics = {"test_accuracy": 0.5, "test_low": 0.4, "test_high": 0.6}
        return SimpleNamespace(state=state, metrics=metrics, environment={})

    monkeypatch.setitem(sys.modules, "transfer.engine.train", SimpleNamespace(train=train))
    return asked


def test_a_run_tells_how_it_goes_and_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch)
    told = call("run", *ASKED, "--set", "fine_rate=0.5", "--set", "head=new", "--augment")
    assert told.exit_code == 0, told.output
    for words in ("loading the data", "train the head", "validation accuracy 0.7500", "interval 0.4000 to 0.6000"):
        assert words in told.stdout
    assert asked[0].options == {"fine_rate": 0.5, "head": "new"} and asked[0].augment
    (run,) = Lab().runs()
    assert (run.state, run.experiment) == ("finished", asked[0])


def test_the_last_line_of_stdout_is_one_json_object(monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch)
    told = call("run", *ASKED, "--json")
    answer = json.loads(told.stdout.splitlines()[-1])
    assert set(answer) == {"run", "state", "metrics"} and answer["state"] == "finished"
    assert "validation accuracy" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "optdigit", *ASKED], "Did you mean 'optdigits'"),
        ([*ASKED, "--set", "fine_rat=1"], "Did you mean 'fine_rate'"),
        ([*ASKED, "--set", "fine_rate=-1"], "fine_rate"),
        ([*ASKED, "--set", "fine_rate"], "--set option=value"),
        (["--backbone", "small_cnn"], "not pretrained"),
        ([*ASKED, "--epochs", "0"], "epochs"),
        ([*ASKED, "--learning-rate", "0"], "learning_rate"),
        ([*ASKED, "--optimizer", "magic"], "optimizer"),
        ([*ASKED, "--nonsense", "1"], "nonsense"),
    ],
)
def test_a_wrong_request_says_why_and_writes_nothing(words: list[str], said: str, home: Path) -> None:
    told = call("run", *words)
    assert told.exit_code == 2, told.output
    assert said in told.stderr and not told.stdout
    assert not home.exists()


def test_a_failed_run_is_told_and_has_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch, problem=OutOfMemory("Too big.", remedy="Lower the batch size."))
    told = call("run", *ASKED, "--json")
    assert told.exit_code == 1 and "Lower the batch size." in told.stderr
    assert json.loads(told.stdout.splitlines()[-1])["state"] == "failed"


def test_a_paused_run_is_resumed_under_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch, state="paused")
    told = call("run", *ASKED)
    run = Lab().runs()[0].id
    assert told.exit_code == 130 and f"resume {run}" in told.stderr
    engine(monkeypatch)
    assert call("resume", run).exit_code == 0
    again = Lab().run(run)
    assert (again.state, again.attempts) == ("finished", 2)
    assert call("resume", run).exit_code == 2


def test_runs_and_show(monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch)
    call("run", *ASKED)
    (listed,) = json.loads(call("runs", "--json").stdout)
    assert listed["run"] in call("runs").stdout
    shown = json.loads(call("show", listed["run"], "--json").stdout)
    assert shown["experiment"]["epochs"] == 3 and shown["points"][0]["accuracy"] == 0.75
    assert "test_accuracy: 0.5" in call("show", listed["run"]).stdout
    assert call("show", "nothing").exit_code == 2
    assert call("stop", listed["run"]).exit_code == 2


@pytest.mark.parametrize("kind", ["backbones", "datasets", "strategies"])
def test_list(kind: str) -> None:
    found = json.loads(call("list", kind, "--json").stdout)
    assert found and all(one["key"] and one["title"] for one in found)
    assert found[0]["key"] in call("list", kind).stdout
    if kind == "strategies":
        fine_tuning = next(one for one in found if one["key"] == "fine_tuning")
        assert fine_tuning["options"]["fine_rate"]["maximum"] == 1


def test_every_field_of_the_experiment_is_an_option() -> None:
    command = [sys.executable, "-m", "transfer", "run", "--help"]
    told = subprocess.check_output(
        command, text=True, env={"COLUMNS": "200", "PATH": ""}, cwd=Path(__file__).parents[1]
    )
    told = "".join(told.split())
    for name in set(Experiment.model_fields) - {"options"}:
        assert "--" + name.replace("_", "-") in told


def test_the_command_line_does_not_import_tensorflow() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from transfer.__main__ import app;"
        "assert CliRunner().invoke(app, ['list', 'backbones', '--json']).exit_code == 0;"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


def test_an_impossible_request_is_refused_with_the_nearest_possible_ones(home: Path) -> None:
    told = call("run", "--strategy", "joint", "--backbone", "efficientnet_lite0")
    assert told.exit_code == 2
    assert "needs a source data set" in told.stderr
    assert "Possible instead: --source mnist_5k; or" in told.stderr
    assert "--strategy fine_tuning" in told.stderr
    assert not list(home.glob("*.sqlite"))


def test_strategies_are_listed_with_what_they_need_and_their_options() -> None:
    listed = {one["key"]: one for one in json.loads(call("list", "strategies", "--json").stdout)}
    assert listed["co_tuning"]["needs"] == ["weights", "source head"]
    assert listed["lora"]["options"]["rank"]["maximum"] == 256
    for one in listed.values():
        assert one["title"]
        assert "](http" in one["reference"]
        assert {"head", "hidden", "head_dropout"} <= set(one["options"])


def test_options_of_a_strategy_are_read_as_json_or_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch)
    for written in ("hidden=64", "hidden=[64, 32]", "hidden=64, 32"):
        assert call("run", *ASKED, "--set", written).exit_code == 0
    assert [one.options["hidden"] for one in asked] == [64, [64, 32], "64, 32"]


def test_backbones_are_listed_with_all_that_a_choice_depends_on() -> None:
    said = CliRunner().invoke(app, ["list", "backbones", "--json"])
    listed = {one["key"]: one for one in json.loads(said.stdout)}
    downloads = [one for one in listed.values() if (one["pretrained"] or {}).get("origin", "").startswith("keras.app")]
    assert len(downloads) >= 38
    for one in [*downloads, listed["efficientnet_lite0"]]:
        assert one["weights"] == "ImageNet"
        assert one["parameters"] > 900_000 and 60 < one["top1"] < 90
        assert 32 <= one["smallest"] <= one["image_size"] <= 600
        assert one["stages"] and one["preprocessing"] and one["licence"] and one["reference"]
    assert all(one["download_mb"] > 3 for one in downloads)
    assert listed["efficientnet_lite0"]["download_mb"] == 0


def test_too_many_labels_are_a_wrong_request_of_which_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(monkeypatch)
    told = call("run", "--source", "mnist_5k", "--labels-per-class", "5000", "--epochs", "3")
    assert told.exit_code == 2
    most = counted.most_labels(catalog.dataset("optdigits"))
    assert f"at most {most}" in told.stderr and f"--labels-per-class {most}" in told.stderr
    assert not asked and not Lab().runs()
    assert call("run", "--source", "mnist_5k", "--labels-per-class", f"{most}").exit_code == 0
    with pytest.raises(ImpossibleExperiment, match="at most"):
        Lab().submit(Experiment(source="mnist_5k", labels_per_class=5_000))
    made, refused = entries(Experiment(source="mnist_5k"), {"labels_per_class": [2, 5_000]})
    assert {one.labels_per_class for one in made} == {2} and "at most" in refused[0][1]


def test_too_many_labels_of_data_that_had_to_be_fetched_leave_no_run_either(monkeypatch: pytest.MonkeyPatch) -> None:
    few = ImpossibleExperiment("It has too few labels.", "labels_per_class 9", "Give fewer.")
    engine(monkeypatch, problem=few)
    told = call("run", *ASKED)
    assert told.exit_code == 1 and len(Lab().runs()) == 1, "a run whose request is possible has failed, and stays"

    class Fetched:
        count = 0

    def check(experiment: Experiment) -> None:
        Fetched.count += 1
        if Fetched.count > 2:  # once before the run, once as it is queued
            raise few

    monkeypatch.setattr(checks.catalog, "check", check)
    monkeypatch.setattr(checks.counted, "is_here", lambda dataset: False)
    told = call("run", *ASKED)
    assert told.exit_code == 2 and "Give fewer" in told.stderr
    assert len(Lab().runs()) == 1

"""The README says what is so: its tables follow from the catalog, its commands exist."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools.readme_tables import filled
from transfer import Experiment
from transfer.__main__ import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^    python -m transfer (.+)$", README, flags=re.M)


def test_the_tables_are_the_catalogs() -> None:
    assert filled(README) == README, "run python -m tools.readme_tables"


@pytest.mark.parametrize("command", ["start", "check", ".ci/run"])
def test_the_two_commands_can_be_run(command: str) -> None:
    assert os.access(ROOT / command, os.X_OK)
    assert f"./{command}" in README or command == ".ci/run"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_is_understood(command: str) -> None:
    name, *rest = shlex.split(command)
    options = [one for one in rest if one.startswith("--")]
    help_text = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert "Usage" in help_text
    assert all(option in help_text for option in options)


def test_the_pictures_and_files_it_names_are_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"`((?:transfer|benchmarks|tests)/[\w/.]+)`", README):
        assert (ROOT / path).exists(), path


def test_the_python_example_is_an_experiment() -> None:
    asked = re.search(r"train\((Experiment\(.*?\))\)", README)
    assert asked is not None
    assert eval(asked[1], {"Experiment": Experiment}).labels_per_class == 1

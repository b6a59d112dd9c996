"""The README and docs/ say what is so: tables follow from the catalog, commands exist, links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tools import readme_tables
from tools.readme_tables import TABLES, filled
from transfer import Experiment
from transfer.__main__ import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PATHS = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{one.name}" for one in (ROOT / "docs").glob("*.md"))]
PAGES = {path: (ROOT / path).read_text() for path in PATHS}
COMMANDS = sorted({one for text in PAGES.values() for one in re.findall(r"^    python -m transfer (.+)$", text, re.M)})
MOST_LINES = 150
FOLDERS = "transfer|benchmarks|tests|pages|tools|docs"


def headings(text: str) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    found = re.findall(r"^#+ (.+)$", prose, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


def dead(path: str, text: str) -> list[str]:
    """The page's links that lead to no file or no heading of this folder's."""
    found = []
    for link in re.findall(r"\[[^]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        file = (ROOT / path).parent / name if name else ROOT / path
        if not file.is_file() or (anchor and anchor not in headings(text if not name else file.read_text())):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_the_tables_are_the_catalogs(path: str) -> None:
    assert filled(PAGES[path], path) == PAGES[path], "run python -m tools.readme_tables"


@pytest.mark.parametrize("path", PATHS)
def test_every_table_is_written_by_the_tool_and_ends(path: str) -> None:
    marks = re.findall(r"^<!-- (\w+)\b.*-->$", PAGES[path], flags=re.M)
    names = list(TABLES.get(path, {}))
    assert sorted(one for one in marks if one != "end") == sorted(names)
    assert marks[1::2] == ["end"] * len(names)


def test_what_is_measured_on_texts_has_a_row_each(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {"what": "topics: `minilm`", "score": "accuracy", "mean": 0.9123, "deviation": 0.011, "words": 0.5},
        {"what": "products", "score": "balanced", "mean": 0.8, "deviation": 0.02},
    ]
    fast = {"steps": {"engine_over_bare": 1.25}, "cached": {"textbook_over_run": 7.0}}
    monkeypatch.setattr(readme_tables, "measured", {"text": {"rows": rows}, "text_speed": fast}.get)
    written = readme_tables.texts()
    assert "| topics: `minilm` | accuracy | 91.2 ± 1.1 | 50.0 |\n" in written
    assert "| products | balanced accuracy | 80.0 ± 2.0 |  |\n" in written
    assert "1.25 times" in written and "7.0 times" in written
    monkeypatch.setattr(readme_tables, "measured", {}.get)
    assert readme_tables.texts() == ""


def test_every_page_with_tables_is_read() -> None:
    assert set(TABLES) <= set(PATHS)


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    assert [one for one in PATHS if one != "README.md" and f"]({one})" not in README] == []


@pytest.mark.parametrize("path", PATHS)
def test_every_link_leads_to_a_file_and_a_heading(path: str) -> None:
    assert dead(path, PAGES[path]) == []


@pytest.mark.parametrize(
    "link", ["gone.md", "docs/gone.md#tour", "docs/tour.md#gone", "#gone", "docs/gone.png", "docs"]
)
def test_a_link_that_leads_nowhere_is_found(link: str) -> None:
    assert dead("README.md", f"## A heading\n\nSee [here]({link}).") == [link]


@pytest.mark.parametrize(
    "link", ["#a-heading-its-own", "docs/tour.md", "docs/tour.md#try-it", "https://example.org/#x"]
)
def test_a_link_that_leads_somewhere_is_not(link: str) -> None:
    assert dead("README.md", f"## A heading, its own\n\nSee [here]({link}).") == []


@pytest.mark.parametrize("command", ["start", "check", ".ci/run"])
def test_the_two_commands_can_be_run(command: str) -> None:
    assert os.access(ROOT / command, os.X_OK)
    assert f"./{command}" in README or command == ".ci/run"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_on_the_pages_is_understood(command: str) -> None:
    name, *rest = shlex.split(command)
    options = [one for one in rest if one.startswith("--")]
    help_text = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
    assert "Usage" in help_text
    assert all(option in help_text for option in options)


def test_every_command_has_a_line() -> None:
    listed = set(re.findall(r"^\| `([a-z]+)` \|", PAGES["docs/command-line.md"], flags=re.M))
    shown = [one for one in app.registered_commands if one.callback and not one.hidden]
    known = {one.name or one.callback.__name__.rstrip("_") for one in shown}
    assert listed == known


@pytest.mark.parametrize("path", PATHS)
def test_the_files_a_page_names_are_there(path: str) -> None:
    for name in re.findall(rf"`((?:{FOLDERS})/[\w/.]+)`", PAGES[path]):
        a_kind = name.replace("KIND.py", "KIND").replace("KIND", "text")  # texts have a folder
        assert (ROOT / a_kind).exists(), name


def test_every_picture_is_shown() -> None:
    shown = {
        ((ROOT / path).parent / one).resolve()
        for path, text in PAGES.items()
        for one in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    }
    assert shown == set((ROOT / "docs").resolve().glob("*.png"))


@pytest.mark.parametrize("path", ["README.md", "docs/command-line.md"])
def test_the_python_example_is_an_experiment(path: str) -> None:
    asked = re.search(r"train\((Experiment\(.*?\))\)", PAGES[path])
    assert asked is not None
    assert eval(asked[1], {"Experiment": Experiment}).labels_per_class == 1

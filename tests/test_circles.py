"""No file of `transfer` imports itself by way of others, not even inside a function or for a type alone."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

Graph = Mapping[str, set[str]]


def modules(root: Path, package: str) -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: Mapping[str, Path]) -> set[str]:
    """The known modules that a file imports anywhere in it, for types, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level and node.module, f"{path}, line {node.lineno}: write the whole name"
            several = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {one if one in known else node.module for one in several}
    return found & known.keys() - {name}


def graph(root: Path, package: str) -> Graph:
    """For each module the ones that it imports. A package's own file counts only where something is taken from it."""
    known = modules(root, package)
    return {name: imports(name, path, known) for name, path in known.items()}


def circle(arrows: Graph) -> list[str]:
    """Modules of which each imports the next and the last the first; empty when there are none such."""
    done: set[str] = set()

    def below(name: str, above: list[str]) -> list[str]:
        if name in above:
            return above[above.index(name) :]
        if name in done:
            return []
        for one in sorted(arrows[name]):
            if found := below(one, [*above, name]):
                return found
        done.add(name)
        return []

    return next((found for name in sorted(arrows) if (found := below(name, []))), [])


def test_no_file_imports_itself_by_way_of_others() -> None:
    found = circle(graph(ROOT, "transfer"))
    assert not found, "a circle of imports: " + " -> ".join([*found, *found[:1]])


INSIDE = "def f():\n    from p.low import g\n"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p import low\n"


@pytest.mark.parametrize("words", ["import p.low\n", "from p.low import g\n", "from p import low\n", INSIDE, FOR_TYPES])
def test_a_circle_is_found_however_it_is_written(words: str, tmp_path: Path) -> None:
    (tmp_path / "p" / "rooms").mkdir(parents=True)
    texts = {"top": "from p import high\n", "high": words, "rooms/one": "import p.high\n", "rooms/__init__": ""}
    for name, text in ({"__init__": ""} | texts).items():
        (tmp_path / "p" / f"{name}.py").write_text(text)
    low = tmp_path / "p" / "low.py"
    low.write_text("import os\n")
    assert circle(graph(tmp_path, "p")) == []
    low.write_text("from p.rooms import one\n")
    assert sorted(circle(graph(tmp_path, "p"))) == ["p.high", "p.low", "p.rooms.one"]

"""The folders of `pages`: no file and no folder there imports itself by way of others."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set
from pathlib import Path

import pytest

from pages.kinds import Shows, shows

ROOT = Path(__file__).parent.parent


def modules() -> dict[str, Path]:
    """The files of `pages`, by dotted name."""
    found = {}
    for path in sorted((ROOT / "pages").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: Mapping[str, Path]) -> set[str]:
    """The modules of `pages` that a file names anywhere in it: inside functions too, and for types only."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports by a relative name, which this test does not follow"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else str(node.module))
    return found & set(known)


def rooms(known: Mapping[str, Path], graph: Mapping[str, Set[str]]) -> dict[str, set[str]]:
    """Which folders each folder imports. What is in a folder's ``__init__.py`` belongs to that folder alone."""

    def room(name: str) -> str:
        return name if known[name].name == "__init__.py" else name.rpartition(".")[0]

    found: dict[str, set[str]] = {room(name): set() for name in known}
    for name, others in graph.items():
        found[room(name)] |= {room(other) for other in others} - {room(name)}
    return found


def circle(graph: Mapping[str, Set[str]]) -> list[str]:
    """The names along a circle, its first again at the end; empty if there is none."""
    done: set[str] = set()

    def walked(way: list[str]) -> list[str]:
        for other in sorted(graph.get(way[-1], ())):
            if other in way:
                return [*way[way.index(other) :], other]
            if other not in done and (found := walked([*way, other])):
                return found
        done.add(way[-1])
        return []

    return next((found for name in sorted(graph) if (found := walked([name]))), [])


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}, "d": set()}, ["b", "c", "b"]),
        ({"a": {"a"}}, ["a", "a"]),
    ],
)
def test_a_circle_is_found_and_named(graph: dict[str, set[str]], expected: list[str]) -> None:
    assert circle(graph) == expected


def test_an_import_inside_a_function_and_one_for_types_only_count(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text(
        "from pages import live\n"
        "if TYPE_CHECKING:\n    from pages.live.hub import Hub\n"
        "def draw():\n    import pages.kinds\n    from pages.live.reader import number\n"
    )
    assert imports(file, modules()) == {"pages.live", "pages.live.hub", "pages.kinds", "pages.live.reader"}


def test_no_file_of_the_pages_imports_itself_by_way_of_others() -> None:
    known = modules()
    found = circle({name: imports(path, known) for name, path in known.items()})
    assert not found, " imports ".join(found)


def test_no_folder_of_the_pages_imports_itself_by_way_of_others() -> None:
    """A kind's folder is found by its name alone, as plug-ins are; nothing imports it."""
    known = modules()
    found = circle(rooms(known, {name: imports(path, known) for name, path in known.items()}))
    assert not found, " imports ".join(found)


def test_nothing_imports_a_page_or_one_kind_of_sample() -> None:
    known = modules()
    for name, path in known.items():
        for other in imports(path, known):
            kind = ".".join(other.split(".")[:3])
            assert other.count(".") != 1 or known[other].name == "__init__.py", f"{name} imports the page {other}"
            assert other == "pages.kinds" or not other.startswith("pages.kinds.") or name.startswith(kind), (
                f"{name} imports {other}, of one kind of sample"
            )


KINDS = sorted(path.parent.name for path in (ROOT / "pages" / "kinds").glob("*/__init__.py"))


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_of_a_kind_takes_the_place_of_one_of_its_functions(kind: str) -> None:
    """Python makes an imported file an attribute of its folder: ``where.py`` would replace the function ``where``."""
    folder = ROOT / "pages" / "kinds" / kind
    files = {path.stem for path in folder.glob("*.py")}
    assert not files & {name for name in vars(shows(kind)) if name in dir(Shows) or name in Shows.__annotations__}

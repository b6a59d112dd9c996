"""What a kind of sample is known to its own folders alone: the imports of every other file are read."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Where files may import what belongs to a kind: its own folders, and the data sets and backbones of that kind.
HOMES = {
    "image": ("transfer/modalities/image/", "pages/kinds/image/", "transfer/pictures/"),
    "text": ("transfer/modalities/text/", "pages/kinds/text/", "transfer/texts/"),
}
SINGLE = ("transfer/datasets/", "transfer/backbones/", "transfer/strategies/")
OF_KIND = {
    "image": ("transfer.pictures", "transfer.modalities.image", "pages.kinds.image", "PIL"),
    "text": ("transfer.texts", "transfer.modalities.text", "pages.kinds.text", "tokenizers"),
}
# Own pictures in folders are still known here: what has been seen, the command `understand`, and the Keras file.
STILL = {
    "transfer/seen/files.py", "transfer/seen/contents.py", "transfer/seen/origins.py", "transfer/reading.py",
    "transfer/export/decoding.py", "transfer/export/keras_file.py",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """Every module a file imports, inside functions and for types, too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reaching(kind: str) -> set[str]:
    """Files outside the kind's folders that import what belongs to it."""
    files = [path for top in ("transfer", "pages") for path in (ROOT / top).rglob("*.py")]
    found = set()
    for path in files:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith((*HOMES[kind], *SINGLE)):
            continue
        if any(one == of or one.startswith(f"{of}.") for one in imported(path) for of in OF_KIND[kind]):
            found.add(name)
    return found


@pytest.mark.parametrize("kind", HOMES)
def test_only_a_kinds_own_folders_know_it(kind: str) -> None:
    assert reaching(kind) - STILL == set()


def test_what_is_listed_as_an_exception_is_one() -> None:
    assert STILL & (reaching("image") | reaching("text")) == STILL


@pytest.mark.parametrize("folder", SINGLE)
def test_no_data_set_backbone_or_strategy_knows_two_kinds(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        kinds = [
            kind for kind, names in OF_KIND.items()
            if any(one == of or one.startswith(f"{of}.") for one in imported(path) for of in names)
        ]  # fmt: skip
        assert len(kinds) < 2, f"{path.name} imports {' and '.join(kinds)}"

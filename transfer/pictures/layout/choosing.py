"""Which of the tables in a folder gives the labels: the one that fits, or several that are each a part."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from transfer.errors import RequestError
from transfer.pictures.layout.by_folders import SAY
from transfer.pictures.layout.by_table import Table, by_tables, fitted, names_of, told_part
from transfer.pictures.layout.columns import Unfit
from transfer.pictures.layout.matching import Files
from transfer.pictures.layout.sheet import ENDINGS, read
from transfer.pictures.layout.tree import Node, Tree
from transfer.pictures.layout.typed import LEFT_OUT, Corrections, Understood
from transfer.received.words import Part, alike, part_of, shown

MOST = 24
_LISTS = ("classes", "labels", "label_names", "class_names", "names", "label_map", "labelmap")


def at_level(
    tree: Tree, root: Node, wanted: Corrections, why: dict[str, str], inside: bool = False
) -> Understood | None:
    """What the tables of a folder say; None when none fits.

    Args:
        tree: everything.
        root: the folder.
        wanted: what a person has said.
        why: takes the reason of each table that does not fit, by its path.
        inside: whether tables in its sub-folders count, instead of its own.

    Raises:
        RequestError: several fit equally well, or none is for training.
    """
    found = _names(root, inside, wanted)
    if not found:
        return None
    names = names_of(tree.folder, root)
    fits: dict[str, Table] = {}
    for name in found[:MOST]:
        path = f"{root.path}/{name}" if root.path else name
        part = told_part(name, found, wanted)
        if part == LEFT_OUT:
            why[path] = "it is an example of answers" if "submission" in alike(name) else "as you said"
            continue
        try:
            sheet = read(tree.folder / path, name)
            fits[name] = fitted(sheet, names, cast("Part | None", part), _near(root, name, part), wanted)
        except Unfit as problem:
            if not name.lower().endswith(".txt"):  # most of those are notes, or lists of classes
                why[path] = str(problem)
        except RequestError as problem:
            why[path] = problem.wrong.rstrip(".").removeprefix(f"{name} ") + f" ({problem.received})"
    chosen = _chosen(root, names, fits)
    if not chosen:
        return None
    for name in set(fits) - set(chosen):
        why[f"{root.path}/{name}" if root.path else name] = f"{' and '.join(chosen)} {_gives(chosen)} the labels"
    return by_tables(root, names, [fits[name] for name in chosen], _classes(tree.folder, root))


def _gives(chosen: list[str]) -> str:
    return "gives" if len(chosen) == 1 else "give"


def _names(root: Node, inside: bool, wanted: Corrections) -> list[str]:
    """Tables of a folder, by their names in it."""
    if wanted.table is not None:
        told = wanted.table[len(root.path) + 1 :] if root.path else wanted.table
        return [told] if told in {name for name, _ in root.walk()} else []
    if inside:
        several = [f"{one.name}/{name}" for one in root.folders.values() for name in one.files]
    else:
        several = list(root.files)
    return [name for name in several if name.lower().endswith(ENDINGS)]


def _near(root: Node, name: str, part: str | None) -> str:
    """The folder in which a table's names are looked for first: its own, or that of its part."""
    if "/" in name:
        return name.rpartition("/")[0]
    same = [one for one in root.folders if part and part_of(one, root.folders) == part]
    return same[0] if len(same) == 1 else ""


def _chosen(root: Node, names: Files, fits: dict[str, Table]) -> list[str]:
    named = [one for one in fits if alike(one.rpartition("/")[2]).rpartition(".")[0] == "labels"]
    if len(named) == 1:
        return named
    parts = [one for one, table in fits.items() if table.part]
    if any(fits[one].part == "train" for one in parts):
        return parts
    whole = [one for one in fits if one not in parts]
    if len(whole) > 1:
        counts = {one: len(by_tables(root, names, [fits[one]], None).files) for one in whole}
        most = max(counts.values())
        best = [one for one in whole if counts[one] == most]
        if len(best) > 1:
            raise RequestError(
                "Several tables fit the pictures equally well.", ", ".join(map(shown, best)),
                f"{SAY}, which table gives the labels.",
            )  # fmt: skip
        return best
    if not whole and parts:
        raise RequestError(
            "No table is for training.", ", ".join(f"{shown(one)} is for {fits[one].part}" for one in parts),
            f"{SAY}, which part each table is.",
        )  # fmt: skip
    return whole


def _classes(folder: Path, root: Node) -> tuple[str, list[str]] | None:
    """A list of class names beside the table, a line each, ``cat`` or ``0 cat``: (its file, the names)."""
    for name in root.files:
        stem, _, ending = name.lower().rpartition(".")
        if ending not in ("txt", "names") or stem not in _LISTS:
            continue
        base = folder / root.path if root.path else folder
        try:
            lines = [" ".join(cells) for _, cells in read(base / name, name).rows]
        except RequestError:
            return None
        apart = [one.replace(":", " ").replace(",", " ").split(None, 1) for one in lines]
        if apart and all(len(one) == 2 and one[0] == str(place) for place, one in enumerate(apart)):
            return name, [one[1].strip() for one in apart]
        return (name, lines) if lines else None
    return None

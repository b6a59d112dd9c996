"""What a folder of pictures means, found out or as a person says: which folders are classes, which are parts."""

from __future__ import annotations

import os
from pathlib import Path

from transfer.errors import RequestError
from transfer.pictures.formats import unfit
from transfer.pictures.layout.by_folders import by_folders
from transfer.pictures.layout.choosing import at_level
from transfer.pictures.layout.descent import levels
from transfer.pictures.layout.sheet import SHEETS
from transfer.pictures.layout.tree import Node, Tree, read
from transfer.pictures.layout.typed import Corrections, Understood
from transfer.received.code_pages import NAMES, encoding_of
from transfer.received.words import is_noise, shown, tokens

HOW = "Put the pictures of each class into a folder named for it, or add labels.csv with the columns file and label."
NOTHING = Corrections()


def understand(folder: Path, wanted: Corrections = NOTHING) -> Understood:
    """What a folder means; reads names and tables, no pictures.

    A table that names pictures here and gives them labels comes first; without one, every folder is a class, or
    folders are parts with the classes inside of them.

    Args:
        folder: with pictures somewhere below it.
        wanted: what a person has said of it; the rest is found out.

    Raises:
        RequestError: it could mean two things, or nothing in it has a label; the message says why.
        OSError: the folder cannot be read.
    """
    tree = read(folder)
    asked = _levels(tree, wanted)
    why: dict[str, str] = {}
    problem: RequestError | None = None
    if wanted.way != "folders":
        for level in asked:
            if (made := at_level(tree, level, wanted, why)) is not None:
                return _finished(tree, made, why)
    if wanted.table is not None:
        raise RequestError(f"{wanted.table} gives no labels.", "; ".join(why.values()) or "no such table",
                           "Choose another table, or other columns.")  # fmt: skip
    if wanted.way != "table":
        try:
            made = by_folders(folder, asked[-1], wanted)
        except RequestError as found:
            problem = found
        else:
            if len(made.classes) > 1 and made.files and not (why and wanted.classes is None and _mute(made)):
                return _finished(tree, made, why)
            if not made.files or ((why or len(made.classes) < 2) and wanted.classes is None and _mute(made)):
                made = None
    else:
        made = None
    if wanted.way != "folders":
        for level in asked:
            if (deep := at_level(tree, level, wanted, why, inside=True)) is not None:
                return _finished(tree, deep, why)
    if problem is not None:
        raise problem
    if made is None:
        raise _nothing(tree, why)
    return _finished(tree, made, why)  # one class: what is wrong with it is for the caller to say


def _levels(tree: Tree, wanted: Corrections) -> list[Node]:
    if wanted.root is None:
        found = levels(tree.top)
        inside = wanted.table.rpartition("/")[0] if wanted.table else None
        return [one for one in found if one.path == inside] or found
    node = tree.top.at(wanted.root.strip("/"))
    if node is None:
        raise RequestError("There is no such sub-folder.", repr(wanted.root), f"There are: {_few(tree.top.folders)}.")
    return [node]


def _mute(made: Understood) -> bool:
    """Whether the names of the classes' folders say nothing: ``images_001`` and ``images_002`` beside a table."""
    return all(
        is_noise(" ".join(one for one in tokens(name) if not one.isdigit())) and "class" not in tokens(name)
        for name in made.classes
    )


def _finished(tree: Tree, made: Understood, why: dict[str, str]) -> Understood:
    """With what lies around it, the tables that were not used, and class names that can be shown."""
    left = list(made.left_out)
    notes = list(made.notes)
    used = {f"{made.root}/{one}" if made.root else one for one in made.tables}
    node, inner = tree.top.at(made.root), None
    while node is not None and node.parent is not None:
        node, inner = node.parent, node
        for name in node.files:
            left.append((_at(node, name), unfit(name) or "beside the folder that is read"))
        for name, beside in node.folders.items():
            if beside is not inner:
                left.append((_at(node, name), f"beside the folder that is read, {beside.pictures:,} pictures"))
                if beside.pictures:
                    notes.append(f"{shown(name)} beside it was left out.")
    for table, reason in why.items():
        if table not in used:
            notes.append(f"{shown(table)} was left out: {reason}.")
            left = [one for one in left if one[0] not in (table, table.rpartition("/")[2])] + [(table, reason)]
    left = [one for one in left if one[0] not in used and one[0] not in made.tables]
    names, note = _readable(made.classes)
    return made.model_copy(update={
        "left_out": (*left, *tree.unread), "notes": (*notes, *note), "classes": tuple(sorted(names.values())),
        "files": tuple((name, names[label], part) for name, label, part in made.files),
    })  # fmt: skip


def _readable(classes: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Class names as text; folders that an old system named come as bytes in its code page."""
    raw = {one: os.fsencode(one) for one in classes if not one.isprintable() and _is_bytes(one)}
    if not raw:
        return {one: one for one in classes}, ()
    code = encoding_of(b"\n".join(raw.values()))
    names = {one: raw[one].decode(code, "replace") if one in raw else one for one in classes}
    if len(set(names.values())) < len(names):
        raise RequestError("Two classes have one name once their letters are read.", NAMES.get(code, code),
                           "Rename their folders.")  # fmt: skip
    return names, (f"Names of folders were read as {NAMES.get(code, code)}.",)


def _is_bytes(name: str) -> bool:
    return any(0xDC80 <= ord(one) <= 0xDCFF for one in name)


def _nothing(tree: Tree, why: dict[str, str]) -> RequestError:
    sheets = [path for _, path in tree.top.walk() if path.lower().endswith((*SHEETS, ".json", ".jsonl"))]
    said = [f"{shown(name)}: {reason}" for name, reason in why.items()]
    said += [f"{shown(name)} is not read: write what it says into labels.csv" for name in sheets[:3]]
    pictures = tree.top.pictures
    said = said or [f"{pictures:,} {'pictures' if pictures != 1 else 'picture'} in no class's folder"]
    texts = sum(path.endswith(".txt") for _, path in tree.top.walk())
    if pictures and texts * 2 >= pictures > 3:
        said.append("a .txt beside each picture, as for finding objects, which is not learned here")
    columns = "A table's columns can be named on the Data page, or with `python -m transfer understand`."
    return RequestError("There are no labelled pictures in it.", "; ".join(said[:4]), f"{HOW} {columns}")


def _at(node: Node, name: str) -> str:
    return f"{node.path}/{name}" if node.path else name


def _few(folders: dict[str, Node]) -> str:
    return ", ".join(shown(one) for one in list(folders)[:8]) or "none"

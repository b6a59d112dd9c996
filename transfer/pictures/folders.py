"""Which pictures a folder offers: a class a sub-folder, or by a CSV; in parts, if it has folders for them."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from transfer.errors import ImpossibleExperiment, RequestError
from transfer.pictures.files import Unreadable, about
from transfer.pictures.formats import unfit

Part = Literal["train", "validation", "test"]
PARTS: dict[str, Part] = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
FILE_COLUMNS = ("file", "filename", "file_name", "path", "image", "picture")
LABEL_COLUMNS = ("label", "class", "category", "target")
PART_COLUMNS = ("split", "part", "set", "subset")


@dataclass(frozen=True)
class File:
    """A picture's file: its name inside the folder, its class, its part, its size in bytes and when it was changed."""

    name: str
    label: int
    part: Part
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """What a folder offers.

    Args:
        root: the folder.
        files: its pictures, in order of their names.
        classes: class names in label order.
        left_out: name and reason of what looks like data and is not used.
    """

    root: Path
    files: tuple[File, ...]
    classes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = field(default=())

    @property
    def stamp(self) -> str:
        """Changes whenever a file is added, removed, renamed or written: 64 hexadecimal digits."""
        digest = hashlib.sha256(str(self.root).encode("utf-8", "surrogateescape"))
        for one in self.files:
            said = f"{one.name}\0{one.label}\0{one.part}\0{one.size}\0{one.changed}\n"
            digest.update(said.encode("utf-8", "surrogateescape"))
        digest.update("\0".join(self.classes).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def listing(folder: Path) -> Listing:
    """The pictures under a folder with their classes; reads names, not pictures.

    A CSV in the folder (``labels.csv``, or the only one) names file and label, and a part if it has such a column;
    without one every sub-folder is a class. Sub-folders called train, validation (val) and test are parts. A folder
    that holds nothing but one folder stands for that.

    Raises:
        RequestError: there is no such folder, or nothing in it that could be learned.
    """
    try:
        if not folder.is_dir():
            raise RequestError("There is no such folder.", str(folder), "Give the path of a folder on this machine.")
        made = _listed(_inner(folder))
    except OSError as problem:
        received = f"{problem.strerror}: {problem.filename}"
        raise RequestError("The folder cannot be read.", received, "Allow the lab to read it.") from problem
    _learnable(made)
    return made


def _listed(root: Path) -> Listing:
    table = _table(root)
    if table is not None:
        found, left = _by_table(root, table)
    else:
        found, left = _by_folders(root)
    classes = sorted({name for _, name, _ in found} | _empty_classes(root, table))
    number = {name: place for place, name in enumerate(classes)}
    files = []
    for name, label, part in sorted(found):
        try:
            seen = about(root / name)
        except Unreadable as problem:
            left.append((name, str(problem)))
            continue
        files.append(File(name, number[label], part, seen.st_size, seen.st_mtime_ns))
    return Listing(root, tuple(files), tuple(classes), tuple(left))


def _inner(folder: Path) -> Path:
    """The folder that holds the classes: many an archive holds one folder around everything."""
    while True:
        entries = [one for one in folder.iterdir() if not hidden(one.name)]
        if len(entries) != 1 or not entries[0].is_dir():
            return folder
        within = list(entries[0].iterdir())
        if not any(one.is_dir() or one.suffix.lower() == ".csv" for one in within):
            return folder
        folder = entries[0]


def hidden(name: str) -> bool:
    """Whether it is something a system leaves beside the files a person sees."""
    return name.startswith((".", "__MACOSX")) or name in ("Thumbs.db", "desktop.ini")


def _walk(root: Path, inside: Path, left: list[tuple[str, str]] | None = None) -> Iterator[Path]:
    """Every file under a folder, as a path inside ``root``; links are followed, circles are not.

    Args:
        root: what names are given in.
        inside: the folder under it.
        left: takes name and reason of folders that cannot be read.
    """
    seen = set()

    def unread(problem: OSError) -> None:
        if left is not None:
            name = os.path.relpath(problem.filename, root)
            left.append((name, f"this folder cannot be read: {problem.strerror}"))

    for place, folders, files in os.walk(root / inside, onerror=unread, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(one for one in folders if not hidden(one))
        for name in sorted(files):
            if not hidden(name):
                yield (Path(place) / name).relative_to(root)


def _parts(root: Path) -> dict[str, Part] | None:
    """Names of the sub-folders that are parts, or None when they are classes."""
    folders = [one.name for one in root.iterdir() if one.is_dir() and not hidden(one.name)]
    are_parts = all(name.lower() in PARTS for name in folders) and "train" in {PARTS.get(n.lower()) for n in folders}
    return {name: PARTS[name.lower()] for name in folders} if are_parts else None


def _by_folders(root: Path) -> tuple[list[tuple[str, str, Part]], list[tuple[str, str]]]:
    parts = _parts(root)
    found: list[tuple[str, str, Part]] = []
    left: list[tuple[str, str]] = []
    for path in _walk(root, Path(), left):
        inner = path.parts[1:] if parts else path.parts
        part: Part = parts[path.parts[0]] if parts and len(path.parts) > 1 else "train"
        if why := unfit(path.name):
            left.append((path.as_posix(), why))
        elif len(inner) < 2:
            left.append((path.as_posix(), "in no class's folder"))
        else:
            found.append((path.as_posix(), inner[0], part))
    return found, left


def _empty_classes(root: Path, table: Path | None) -> set[str]:
    """Classes that have a folder, with or without pictures."""
    if table is not None:
        return set()
    parts = _parts(root)
    places = [root / name for name in parts] if parts else [root]
    return {one.name for place in places for one in place.iterdir() if one.is_dir() and not hidden(one.name)}


def _table(root: Path) -> Path | None:
    tables = sorted(one for one in root.iterdir() if one.suffix.lower() == ".csv" and not hidden(one.name))
    named = [one for one in tables if one.stem.lower() == "labels"]
    return (named or tables)[0] if named or len(tables) == 1 else None


def _by_table(root: Path, table: Path) -> tuple[list[tuple[str, str, Part]], list[tuple[str, str]]]:
    found: dict[str, tuple[str, str, Part]] = {}
    left: list[tuple[str, str]] = []
    for line, row in _rows(table):
        name, label, part = row
        clean = PurePosixPath(name.replace("\\", "/"))
        if clean.is_absolute() or ".." in clean.parts or any(ord(one) < 32 for one in name):
            left.append((repr(name)[1:-1], f"line {line} of {table.name} points out of the folder"))
        elif not label:
            left.append((name, f"line {line} of {table.name} gives no label"))
        elif part is None:
            left.append((name, f"line {line} of {table.name}: the part is none of train, validation, test"))
        elif not os.path.lexists(root / clean):
            left.append((name, f"named in line {line} of {table.name}, and not there"))
        elif why := unfit(clean.name):
            left.append((name, why))
        elif str(clean) in found and found[str(clean)][1:] != (label, part):
            left.append((name, f"named twice in {table.name}, with another label or part"))
        else:
            found[str(clean)] = (str(clean), label, part)
    strangers = sum(unfit(path.name) == "" and path.as_posix() not in found for path in _walk(root, Path()))
    if strangers:
        left.append((f"{strangers:,} pictures", f"not named in {table.name}"))
    return list(found.values()), left


def _rows(table: Path) -> Iterator[tuple[int, tuple[str, str, Part | None]]]:
    """Line number, file, label and part of each row; the columns are found by their names, else they are the first."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise RequestError(
            f"{table.name} cannot be read.", str(problem), "Save it as CSV, UTF-8, with the columns file and label."
        ) from None
    head = [one.strip().lower() for one in rows[0]] if rows else []
    columns = [next((head.index(one) for one in names if one in head), None)
               for names in (FILE_COLUMNS, LABEL_COLUMNS, PART_COLUMNS)]  # fmt: skip
    named = columns[0] is not None and columns[1] is not None
    if len(head) < 2:
        raise RequestError(
            f"{table.name} has no two columns.", ", ".join(head) or "nothing", "Give it the columns file and label."
        )
    at, of, split = columns if named else (0, 1, None)
    assert at is not None and of is not None
    for line, row in enumerate(rows[1:] if named else rows, start=2 if named else 1):
        cells = [one.strip() for one in row] + [""] * (max(at, of, split or 0) + 1 - len(row))
        part = PARTS.get(cells[split].lower()) if split is not None else "train"
        yield line, (cells[at], cells[of], part)


def _learnable(made: Listing) -> None:
    """Raises when there is nothing to be learned: no picture, one class, a class that is empty or too small."""
    how = (
        "Put the pictures of each class into a folder named for it, or add labels.csv with the columns file and label."
    )
    if not made.files:
        raise RequestError("There are no labelled pictures in it.", str(made.root), how)
    if len(made.classes) < 2:
        raise ImpossibleExperiment("There is only one class.", repr(made.classes[0]), how)
    enough(made.classes, [(one.label, one.part) for one in made.files])


def enough(classes: tuple[str, ...], given: list[tuple[int, Part]]) -> None:
    """Raises when a class has fewer pictures than the split needs.

    Args:
        classes: names in label order.
        given: label and part of each picture.

    Raises:
        ImpossibleExperiment: names the class.
    """
    counts = [0] * len(classes)
    for label, part in given:
        counts[label] += part == "train"
    parts = {part for _, part in given}
    needed = 3 - len({"validation", "test"} & parts)
    scarcest = min(range(len(classes)), key=counts.__getitem__)
    if counts[scarcest] == 0:
        raise ImpossibleExperiment(
            f"The class {classes[scarcest]!r} has no pictures to train on.", "0 pictures",
            "Add some, or remove its folder.",
        )  # fmt: skip
    if counts[scarcest] < needed:
        raise ImpossibleExperiment(
            f"The class {classes[scarcest]!r} has too few pictures: training, validation and test each need one.",
            f"{counts[scarcest]} of at least {needed}",
            "Add pictures to it, or remove its folder.",
        )

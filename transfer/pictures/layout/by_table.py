"""Labels from one table, or from several that are each a part; every row that cannot be used says why."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.pictures.formats import unfit
from transfer.pictures.layout import columns as found_columns
from transfer.pictures.layout.columns import Columns, Unfit, is_yes
from transfer.pictures.layout.matching import Files, elsewhere, leads_out
from transfer.pictures.layout.sheet import Sheet
from transfer.pictures.layout.tree import Node, is_picture
from transfer.pictures.layout.typed import LEFT_OUT, Corrections, Understood
from transfer.received.code_pages import NAMES
from transfer.received.words import Part, alike, part_of, parts_of, shown

_SHOWN = 3


@dataclass(frozen=True)
class Table:
    """A table that fits the pictures beside it.

    Args:
        sheet: its rows.
        columns: which is which.
        part: the part of all of its rows when no column says it.
        near: the folder in which its names are looked for first.
    """

    sheet: Sheet
    columns: Columns
    part: Part | None = None
    near: str = ""

    @property
    def rows(self) -> tuple[tuple[int, tuple[str, ...]], ...]:
        """Those below the header."""
        return self.sheet.rows[1:] if self.columns.header else self.sheet.rows


def fitted(sheet: Sheet, files: Files, part: Part | None, near: str, wanted: Corrections) -> Table:
    """The table with its columns.

    Raises:
        Unfit: it gives no labels to these pictures.
    """
    made = Table(sheet, found_columns.of(sheet, files, near, wanted), part, near)
    _one_label_each(made)
    return made


def _one_label_each(table: Table) -> None:
    places = table.columns.one_hot
    if not places:
        return
    several = [
        (line, [table.columns.header[one] for one in places if one < len(cells) and is_yes(cells[one])])
        for line, cells in table.rows
    ]
    twice = [(line, names) for line, names in several if len(names) > 1]
    if twice:
        first = "; ".join(f"line {line}: {', '.join(names[:4])}" for line, names in twice[:_SHOWN])
        raise Unfit(f"{len(twice):,} of its rows have more than one class, and a picture has one label here ({first})")


def by_tables(root: Node, names: Files, tables: Sequence[Table], classes: tuple[str, list[str]] | None) -> Understood:
    """What the tables say.

    Args:
        root: the folder that names are given in.
        names: its files.
        tables: that fit.
        classes: a list of names for labels that are numbers from 0, with its file; or None.
    """
    found: dict[str, tuple[str, str, Part]] = {}
    left: list[tuple[str, str]] = []
    for table in tables:
        _read(table, names, found, left)
    notes = []
    named = _named(found, classes[1] if classes else None)
    if classes and named is not found:
        notes.append(f"Names of the classes come from {shown(classes[0])}.")
    merged = _one_spelling(named)
    parts = _by_place(merged, tables)
    strangers = sum(is_picture(path.rpartition("/")[2]) and path not in found for path, _ in root.walk())
    if strangers:
        which = " or ".join(one.sheet.name for one in tables)
        left.append((f"{strangers:,} pictures", f"not named in {which}"))
        notes.append(f"{strangers:,} {'pictures are' if strangers > 1 else 'picture is'} not named there and left out.")
    labels = {label for _, label, _ in parts.values()}
    if twins := [one for one, count in Counter(map(str.casefold, labels)).items() if count > 1]:
        notes.append(f"Labels that differ only in case are classes of their own: {', '.join(sorted(twins)[:3])}.")
    odd = sorted({one.sheet.encoding for one in tables} - {"utf-8", "utf-8-sig"})
    notes += [f"The table was read as {NAMES.get(one, one.upper())}." for one in odd]
    return Understood(
        root=root.path, way="table", files=tuple(parts.values()), classes=tuple(sorted(labels)),
        parts={one.sheet.name: one.part for one in tables if one.part}, tables=tuple(one.sheet.name for one in tables),
        columns=tables[0].columns.named(), left_out=tuple(left), notes=tuple(notes),
    )  # fmt: skip


def _read(table: Table, names: Files, found: dict[str, tuple[str, str, Part]], left: list[tuple[str, str]]) -> None:
    rows = [(line, *_row(table, cells)) for line, cells in table.rows]
    matched = {name: names.find(name, table.near) for _, name, _, _ in rows}
    far = elsewhere(names, [one for one, several in matched.items() if not several])
    for line, name, label, part in rows:
        said = f"line {line} of {table.sheet.name}"
        several = [far[name]] if name in far else matched[name]
        if not label:
            why = f"{said} gives no label"
        elif part is None:
            why = f"{said}: the part is none of train, validation, test"
        elif not several:
            why = f"{said} points out of the folder" if leads_out(name) else f"named in {said}, and not there"
        elif len(several) > 1:
            why = f"{said} could mean {len(several):,} files: {', '.join(several[:_SHOWN])}"
        elif not is_picture(several[0].rpartition("/")[2]):
            why = unfit(several[0]) or "not a picture, judging by its name"
        elif several[0] in found and found[several[0]][1:] != (label, part):
            why = f"named twice in {table.sheet.name}, with another label or part"
        else:
            found[several[0]] = (several[0], label, part)
            continue
        left.append((repr(name)[1:-1] if leads_out(name) else name, why))


def _row(table: Table, cells: tuple[str, ...]) -> tuple[str, str, Part | None]:
    """File, label and part of a row; an empty label when there is none, None for a part nobody knows."""
    columns = table.columns

    def cell(place: int | None) -> str:
        return cells[place] if place is not None and place < len(cells) else ""

    if columns.one_hot:
        label = next((columns.header[one] for one in columns.one_hot if is_yes(cell(one))), "")
    else:
        label = cell(columns.label)
    part: Part | None = table.part or "train"
    if columns.flag:
        part = part_of(columns.flag) if is_yes(cell(columns.part)) else part
    elif columns.part is not None:
        part = part_of(cell(columns.part))
    return cell(columns.file), label, part


def _named(found: dict[str, tuple[str, str, Part]], classes: Sequence[str] | None) -> dict[str, tuple[str, str, Part]]:
    """Labels that are numbers from 0 with the names of a list; as they are when the list does not fit."""
    labels = {label for _, label, _ in found.values()}
    if not classes or not labels or not all(one.isdecimal() and int(one) < len(classes) for one in labels):
        return found
    return {name: (name, classes[int(label)], part) for name, (_, label, part) in found.items()}


def _one_spelling(found: dict[str, tuple[str, str, Part]]) -> dict[str, tuple[str, str, Part]]:
    """Labels that differ only in their Unicode form become the commoner of them."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for _, label, _ in found.values():
        forms[unicodedata.normalize("NFC", label)][label] += 1
    if all(len(one) == 1 for one in forms.values()):
        return found
    usual = {label: several.most_common(1)[0][0] for several in forms.values() for label in several}
    return {name: (name, usual[label], part) for name, (_, label, part) in found.items()}


def _by_place(found: dict[str, tuple[str, str, Part]], tables: Sequence[Table]) -> dict[str, tuple[str, str, Part]]:
    """The parts of folders, where the tables say nothing of parts and all named pictures lie in folders of parts."""
    if any(one.part or one.columns.part is not None for one in tables):
        return found
    tops = {name.partition("/")[0] for name in found if "/" in name}
    parts = parts_of(tops)
    if any("/" not in name for name in found) or "train" not in parts.values() or None in parts.values():
        return found
    return {name: (name, label, parts[name.partition("/")[0]] or "train") for name, (_, label, _) in found.items()}


def told_part(name: str, siblings: Sequence[str], wanted: Corrections) -> Part | str | None:
    """The part that a table's name or its folder says, or a person."""
    if name in wanted.parts:
        return wanted.parts[name]
    if "submission" in alike(name):
        return LEFT_OUT
    folder, _, file = name.rpartition("/")
    stems = [one.rpartition("/")[2].rpartition(".")[0] for one in siblings if one.rpartition("/")[0] == folder]
    return part_of(file.rpartition(".")[0], stems) or (part_of(folder.rpartition("/")[2]) if folder else None)


def names_of(folder: Path, root: Node) -> Files:
    """All files under a root, to be found by what tables call them."""
    base = folder / root.path if root.path else folder
    return Files(base, [name for name, _ in root.walk()])

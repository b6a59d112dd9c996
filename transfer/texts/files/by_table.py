"""Labelled rows of a table."""

from __future__ import annotations

from transfer.errors import RequestError
from transfer.received.words import Part, part_of
from transfer.texts.files import columns, labels
from transfer.texts.files.columns import Columns
from transfer.texts.files.decoding import SAVE, is_undecoded
from transfer.texts.files.typed import Cell, Choices, Collected, Row, Several, Table

_YES = frozenset({"1", "1.0", "true", "yes", "t", "y"})
_EMPTY = " \t\n\r\f\v\0\ufeff\u200b\u200e\u200f\u2060\u00a0"


class _Unfit(Exception):
    """The row is left out; the message says why, in a few words."""


def rows(table: Table, choices: Choices, part: Part = "train", split: bool = True) -> Collected:
    """The texts of a table with their labels.

    Args:
        table: of cells.
        choices: of columns.
        part: of all its rows, where no column says otherwise.
        split: whether a column may say otherwise.

    Raises:
        RequestError: it is empty, or has no column for the text or the label.
    """
    if not table.rows:
        raise RequestError(f"{table.name} is empty.", "no rows", SAVE)
    if not split:
        choices = Choices(choices.text, choices.label, "none")
    found = columns.of(table, choices)
    made = Collected(columns=found.header, chosen=found.chosen, said=list(table.said), left_out=list(table.left_out))
    width = len(found.header)
    for where, cells in table.rows[1:] if found.has_header else table.rows:
        try:
            made.rows.append(_row(where, _fitting(cells, width), found, part))
        except _Unfit as problem:
            made.left_out.append((where, str(problem)))
    made.left_out.sort(key=lambda one: int(one[0].rpartition(" ")[2]))
    made.texts_from = " from " + _columns([found.header[one] for one in found.text])
    made.labels_from = _columns([found.header[found.label]])
    made.parts_from = _columns([found.header[found.part]]) if found.part is not None else ""
    if not found.has_header and not table.header:
        made.said.append("The table has no header row; its columns are numbered.")
    if found.others:
        made.said.append(f"The label could also be {', '.join(found.others[:6])}.")
    return made


def _columns(header: list[str]) -> str:
    """Columns in words, by their names or, where they have none, by their numbers."""
    if all(one.startswith("column ") for one in header):
        return " and ".join(header)
    return f"the {'column' if len(header) == 1 else 'columns'} {' and '.join(header)}"


def _fitting(cells: tuple[Cell, ...], width: int) -> tuple[Cell, ...]:
    if len(cells) < width:
        raise _Unfit(f"{len(cells)} of {width} columns")
    if any(one and one.strip() for one in cells[width:]):
        raise _Unfit(f"{len(cells)} columns instead of {width}: a text with the separator in it needs quotation marks")
    return cells[:width]


def _row(where: str, cells: tuple[Cell, ...], found: Columns, part: Part) -> Row:
    label = cells[found.label]
    text = "\n".join(one.strip(_EMPTY) for place in found.text if (one := cells[place]) and one.strip(_EMPTY))
    if isinstance(label, Several):
        raise _Unfit("several labels")
    if is_undecoded(text) or is_undecoded(label or ""):
        raise _Unfit("bytes that do not fit the file's encoding")
    if label is None or labels.is_missing(labels.tidy(label)):
        raise _Unfit("no label" if not (label or "").strip() else f"no label ({(label or '').strip()})")
    if not text:
        raise _Unfit("no text")
    return Row(text, label, _part(cells, found, part), where)


def _part(cells: tuple[Cell, ...], found: Columns, part: Part) -> Part:
    if found.part is None:
        return part
    cell = (cells[found.part] or "").strip()
    if found.flag:
        return found.flag if cell.casefold() in _YES else "train"  # type: ignore[return-value]  # one of the parts
    meant = part_of(cell)
    if meant is None:
        raise _Unfit(f"the part {cell[:40]!r} is unknown" if cell else "no part")
    return meant

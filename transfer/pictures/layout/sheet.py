"""A table out of a file: whatever separates its cells, whatever code page, with or without a header."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from transfer.errors import RequestError
from transfer.received.code_pages import text_of
from transfer.received.files import Unreadable, content

MOST_BYTES = 200_000_000
_SEPARATORS = (",", ";", "\t", "|")
_PROBE = 50
_SPREADSHEETS = {b"PK\x03\x04": "an Excel or OpenDocument file", b"\xd0\xcf\x11\xe0": "an old Excel file"}
ENDINGS = (".csv", ".tsv", ".tab", ".psv", ".txt")
SHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers")
SAVE = "Save it as CSV, UTF-8, with the columns file and label."


@dataclass(frozen=True)
class Sheet:
    """Rows of a table with the lines they came from.

    Args:
        name: of the file, inside the folder.
        rows: (line, cells), equally many each, blanks around them removed; no empty lines, no comments.
        encoding: that was found.
    """

    name: str
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    encoding: str

    @property
    def width(self) -> int:
        """Cells of a row."""
        return len(self.rows[0][1]) if self.rows else 0


def read(path: Path, name: str) -> Sheet:
    """The table in a file.

    Args:
        path: of the file.
        name: as it is called in messages.

    Raises:
        RequestError: it is no table of text.
    """
    try:
        raw = content(path, MOST_BYTES).getvalue()
    except Unreadable as problem:
        raise RequestError(f"{name} cannot be read.", str(problem), SAVE) from None
    for mark, what in _SPREADSHEETS.items():
        if raw.startswith(mark):
            raise RequestError(f"{name} is {what}, not a text with commas.", name, SAVE)
    text, encoding = text_of(raw)
    text = text.replace("\0", "")
    separator = _separator(text, name)
    try:
        rows = tuple(_rows(text, separator))
    except csv.Error as problem:
        raise RequestError(f"{name} cannot be read.", str(problem), SAVE) from None
    width = max((len(cells) for _, cells in rows), default=0)
    return Sheet(name, tuple((line, cells + ("",) * (width - len(cells))) for line, cells in rows), encoding)


def _rows(text: str, separator: str | None) -> list[tuple[int, tuple[str, ...]]]:
    found = []
    if separator is None:
        for line, one in enumerate(text.splitlines(), start=1):
            if cells := tuple(one.split(None, 1)):
                found.append((line, tuple(map(str.strip, cells))))
    else:
        reader = csv.reader(io.StringIO(text, newline=None), delimiter=separator, skipinitialspace=True)
        for row in reader:
            cells = tuple(one.strip() for one in row)
            if any(cells):
                found.append((reader.line_num, cells))
    widest = Counter(len(cells) for _, cells in found).most_common(1)
    # "# made by ..." on a line of its own, and Excel's "sep=;".
    return [(line, cells) for line, cells in found if not _is_remark(line, cells, widest[0][0])]


def _is_remark(line: int, cells: tuple[str, ...], width: int) -> bool:
    if cells[0].startswith("#") and len(cells) < width:
        return True
    return line == 1 and len(cells) <= 2 and len(cells[0]) <= 5 and cells[0].casefold().startswith("sep=")


def _separator(text: str, name: str) -> str | None:
    """What most lines have equally often; None for blanks, which only a ``.txt`` may have."""
    lines = [one for one in io.StringIO(text[:200_000], newline=None) if one.strip()][:_PROBE]
    best, most = ",", 0.0
    for one in _SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=one, skipinitialspace=True) if row)
        except csv.Error:
            continue
        width, count = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1])) if widths else (1, 0)
        share = count / max(1, widths.total())
        if width > 1 and share > most + 1e-9:
            best, most = one, share
    return None if most < 0.5 and name.lower().endswith(".txt") else best

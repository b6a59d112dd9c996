"""Tables whose cells a sign separates: which sign, and how texts with that sign or a newline in them are quoted."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from transfer.errors import RequestError
from transfer.texts.files.names import is_known
from transfer.texts.files.typed import Table

# Of two that divide all rows alike, the one that is rarer in texts.
SEPARATORS = {"\t": "tabs", "|": "vertical bars", ";": "semicolons", ",": "commas"}
_USUAL = {".tsv": "\t", ".tab": "\t", ".psv": "|"}
_PROBE_LINES, _PROBE_LETTERS = 400, 300_000
_MOST_CELL = 2**30
_FASTTEXT = re.compile(r"__label__(\S+)\s+(.*)", re.DOTALL)
_QUOTES = "an unclosed quotation mark"


@dataclass
class _Records:
    """What one way of reading makes of the lines.

    Args:
        found: (line from 1, lines that it spans, cells).
        broken: lines that could not be read.
        lenient: lines whose quotation marks are not where they should be.
    """

    found: list[tuple[int, int, list[str]]] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    lenient: int = 0

    @property
    def width(self) -> int:
        """Cells of most rows that have more than one."""
        widths = Counter(len(cells) for _, _, cells in self.found if len(cells) > 1)
        return widths.most_common(1)[0][0] if widths else 1

    @property
    def share(self) -> float:
        """The share of lines in rows that are as wide as most."""
        width = self.width
        if width == 1:
            return 0.0
        fit = sum(span for _, span, cells in self.found if len(cells) == width)
        return fit / max(1, sum(span for _, span, _ in self.found) + len(self.broken))


def read(text: str, name: str) -> Table:
    """The table in a text.

    Args:
        text: of the file.
        name: of the file; its ending is a hint.

    Raises:
        RequestError: its quotation marks cannot be understood.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _MOST_CELL))
    lines = list(io.StringIO(text, newline=None))
    table = Table(name)
    if marked := _fasttext(lines):
        table.header, table.rows = ("label", "text"), marked
        table.said.append("Each line begins with its label (__label__).")
        return table
    told = re.fullmatch(r'"?sep=(.)"?\s*', lines[0], re.IGNORECASE) if lines else None
    begin = 1 if told else 0
    separator, way = _dialect(lines[begin:], name, told.group(1) if told else "")
    records = _records(lines[begin:], separator, way)
    for line, _, cells in records.found:
        if any(map(str.strip, cells)):
            table.rows.append((f"line {line + begin}", tuple(cells)))
    while records.width > 1 and len(table.rows) > 2 and sum(bool(one and one.strip()) for one in table.rows[0][1]) == 1:
        table.left_out.append((table.rows.pop(0)[0], "a line above the table"))
    table.left_out += [(f"line {line + begin}", _QUOTES) for line in records.broken]
    if records.width > 1:
        table.said.append(f"Cells are separated by {SEPARATORS.get(separator, repr(separator))}.")
    return table


def _fasttext(lines: list[str]) -> list[tuple[str, tuple[str | None, ...]]]:
    probe = [one for one in lines[:_PROBE_LINES] if one.strip()]
    if sum(one.startswith("__label__") for one in probe) < max(1, 0.8 * len(probe)):
        return []
    found: list[tuple[str, tuple[str | None, ...]]] = []
    for number, line in enumerate(lines, start=1):
        match = _FASTTEXT.match(line)
        if line.strip():
            found.append((f"line {number}", match.groups() if match else (None, line)))
    return found


def _dialect(lines: list[str], name: str, told: str) -> tuple[str, str]:
    """The separator, and how to read quotation marks: ``quoted``, ``escaped`` with backslashes, or ``plain``."""
    probe: list[str] = []
    letters = 0
    for one in lines:
        if len(probe) >= _PROBE_LINES or letters > _PROBE_LETTERS:
            break
        probe.append(one)
        letters += len(one)
    cut = len(probe) < len(lines)
    ending = "." + name.lower().rpartition(".")[2]
    best, most = (told or _USUAL.get(ending, ","), "quoted"), 0.0
    for separator in [told] if told else SEPARATORS:
        way, records = _way(probe, separator, cut)
        score = records.share
        if records.found and score > 0:
            first = records.found[0][2]
            score += 0.3 * any(is_known(one) for one in first) + 0.2 * (_USUAL.get(ending) == separator)
        if score > most + 1e-9:
            best, most = (separator, way), score
    return best


def _way(probe: list[str], separator: str, cut: bool) -> tuple[str, _Records]:
    """The best way to read quotation marks, where cells are separated in this way."""
    way, best = "quoted", _records(probe, separator, "quoted", cut)
    if any('\\"' in one for one in probe):
        escaped = _records(probe, separator, "escaped", cut)
        if _faults(escaped) < _faults(best):
            way, best = "escaped", escaped
    plain = _records(probe, separator, "plain")
    quotes = any(separator in cell or "\n" in cell for _, _, cells in best.found for cell in cells)
    # Tables with tabs often have quotation marks that mean nothing but themselves.
    spans = any(span > 1 for _, span, _ in best.found)
    of_itself = separator in "\t|" and (spans or _faults(best)) and plain.share >= best.share
    if of_itself or plain.share > best.share + (0.2 if quotes else 0.02):
        return "plain", plain
    return way, best


def _faults(records: _Records) -> int:
    return len(records.broken) + records.lenient


def _records(lines: list[str], separator: str, way: str, cut: bool = False) -> _Records:
    """All rows; ``cut`` says that more lines follow, so that the last row may be incomplete."""
    made = _Records()
    if way == "plain":
        for number, line in enumerate(lines, start=1):
            if line.strip("\n"):
                made.found.append((number, 1, line.rstrip("\n").split(separator)))
        return made
    escape = "\\" if way == "escaped" else None
    at, spent = 0, 0
    while at < len(lines):
        reader = csv.reader(_after(lines, at), delimiter=separator, strict=True, escapechar=escape,
                            skipinitialspace=separator != "\t")  # fmt: skip
        begin = at
        try:
            for cells in reader:
                if cells:
                    made.found.append((begin + 1, at + reader.line_num - begin, cells))
                begin = at + reader.line_num
            break
        except csv.Error:
            span = at + reader.line_num - begin
            torn = at + reader.line_num >= len(lines) and '"' in lines[-1] and span <= 1 and _is_open(lines[begin])
        if cut and begin + span >= len(lines) and span > 1:
            break
        if span > 1 or torn:
            made.broken.append(begin + 1)
        else:
            made.found.append((begin + 1, 1, _leniently(lines[begin], separator, escape)))
            made.lenient += 1
        at, spent = begin + 1, spent + span
        if spent > 20 * len(lines) + 10_000:
            raise RequestError(
                "The table's quotation marks cannot be understood.", f"line {begin + 1}",
                'Quote texts as spreadsheets do: "..." around each, and "" for a quotation mark inside.',
            )  # fmt: skip
    return made


def _after(lines: list[str], at: int) -> Iterator[str]:
    return (lines[place] for place in range(at, len(lines)))


def _is_open(line: str) -> bool:
    return line.count('"') % 2 == 1


def _leniently(line: str, separator: str, escape: str | None) -> list[str]:
    reader = csv.reader([line.rstrip("\n")], delimiter=separator, escapechar=escape, skipinitialspace=separator != "\t")
    return next(reader, [])

"""Which columns of a table hold the text, the label and the part: as told, by their names, or by what is in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from transfer.errors import RequestError
from transfer.received.words import part_of
from transfer.texts.files import labels, names
from transfer.texts.files.typed import NONE, Cell, Choices, Table

MOST_CLASSES = 1000
_PROBE, _SHOWN, _A_TEXT = 400, 12, 3
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
_DECIMAL = re.compile(r"[-+]?\d*[.,]\d*[1-9]\d*")
# Without a blank, and with what words have not; or a point in time.
_LIKE_ID = re.compile(r"[!-~]*[\d/\\@_][!-~]*|(?=.{,45}$).*(\d{1,2}:\d\d|\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d\d).*")
_FEW, _BEGUN = 20, 200
_SET = "Choose the columns on the Data page, or add ?text=<column>&label=<column> to the path."


@dataclass(frozen=True)
class Columns:
    """Places of the columns, from 0.

    Args:
        text: of the text, several to be joined.
        label: of the label.
        part: of the part, or None.
        flag: the part that a ``true`` in it means, for ``is_test``; empty for a column of part names.
        header: names of all columns, each once.
        has_header: whether the first row is their names.
        others: columns that could be the label too.
    """

    text: tuple[int, ...]
    label: int
    part: int | None
    flag: str
    header: tuple[str, ...]
    has_header: bool
    others: tuple[str, ...] = ()

    @property
    def chosen(self) -> Choices:
        """Their names."""
        part = self.header[self.part] if self.part is not None else ""
        return Choices(tuple(self.header[one] for one in self.text), self.header[self.label], part)


def names_of(table: Table) -> tuple[str, ...]:
    """Names of a table's columns."""
    if not table.rows:
        return table.header
    return _header(table, [cells for _, cells in table.rows], _width(table))[0]


def _width(table: Table) -> int:
    return len(table.header) or Counter(len(cells) for _, cells in table.rows).most_common(1)[0][0]


class _Body:
    """The columns' cells, below a header."""

    def __init__(self, rows: Sequence[tuple[Cell, ...]], width: int) -> None:
        step = max(1, len(rows) // _PROBE)
        self.columns = [[cells[place] for cells in rows if place < len(cells)] for place in range(width)]
        self.filled = [[one.strip() for one in column if one and one.strip()] for column in self.columns]
        self.samples = [column[::step] for column in self.filled]
        self.different = [set(column) for column in self.filled]

    def is_textual(self, place: int) -> bool:
        """Whether most cells have letters and are no identifiers, addresses or dates."""
        probe = self.samples[place]
        with_letters = [one for one in probe if re.search(r"[^\W\d_]", one)]
        if not probe or 2 * len(with_letters) < len(probe):
            return False
        return 2 * sum(bool(_LIKE_ID.fullmatch(one[:_BEGUN])) for one in probe) < len(probe)

    def length(self, place: int) -> float:
        """Letters of a cell, on average."""
        return sum(map(len, self.samples[place])) / max(1, len(self.samples[place]))

    def words(self, place: int) -> float:
        """Words of a cell, on average."""
        return sum(len(one.split()) for one in self.samples[place]) / max(1, len(self.samples[place]))

    def is_measured(self, place: int) -> bool:
        """Whether it holds numbers with decimals, as measurements have."""
        if len(self.different[place]) <= _FEW:  # half stars
            return False
        return sum(bool(_DECIMAL.fullmatch(one)) for one in self.samples[place]) > len(self.samples[place]) / 10

    def may_be_label(self, place: int) -> bool:
        """Whether few different values stand in it again and again, and no measurements."""
        many = len(self.different[place])
        return 1 < many <= MOST_CLASSES and 2 * many <= len(self.filled[place]) and not self.is_measured(place)

    def is_full(self, place: int) -> bool:
        """Whether hardly a cell is empty."""
        return len(self.filled[place]) >= 0.9 * len(self.columns[place])


def of(table: Table, choices: Choices) -> Columns:
    """The columns of a table.

    Args:
        table: with at least one row.
        choices: of a person; empty fields are found out.

    Raises:
        RequestError: there is no column of that name, or none that can be the text or the label.
    """
    rows = [cells for _, cells in table.rows]
    header, has_header = _header(table, rows, _width(table))
    body = _Body(rows[1:] if has_header else rows, len(header))
    known = header if has_header or table.header else ()
    told_part = None if choices.split in ("", NONE) else _told(choices.split, header, table.name)
    part, flag = (None, "") if choices.split == NONE else _part(known, body, told_part)
    told = [_told(one, header, table.name) for one in choices.text]
    label = _told(choices.label, header, table.name) if choices.label else None
    if label is None:
        label, others = _label(table.name, known, header, body, {part, *told})
    else:
        others = []
        _check(table.name, header[label], body, label)
    text = told or _text(table.name, known, header, body, {part, label})
    return Columns(tuple(text), label, part, flag, header, has_header, tuple(header[one] for one in others))


def _header(table: Table, rows: list[tuple[Cell, ...]], width: int) -> tuple[tuple[str, ...], bool]:
    """Names of the columns, and whether they are the first row."""
    if table.header:
        return _unique(table.header), False
    first = [(one or "").strip() for one in rows[0]]
    if any(names.is_known(one) for one in first) or _stands_out(first, rows[1:], width):
        # Some programs leave out the name of a first column with row numbers.
        short = [""] if len(first) == width - 1 else []
        return _unique([*short, *first]), True
    return tuple(f"column {place + 1}" for place in range(width)), False


def _stands_out(first: list[str], rows: list[tuple[Cell, ...]], width: int) -> bool:
    """Whether the first row cannot be one like any other: a word above numbers, or no label above labels."""
    if len(first) != width or not rows:
        return False
    body = _Body(rows, width)
    for place in range(width):
        numbers = sum(bool(_NUMBER.fullmatch(one)) for one in body.samples[place])
        if first[place] and not _NUMBER.fullmatch(first[place]) and numbers >= max(2, 0.95 * len(body.samples[place])):
            return True
    above = [place for place in range(width) if body.may_be_label(place) and body.is_full(place)]
    return bool(above) and all(first[place] and first[place] not in body.different[place] for place in above)


def _unique(given: Sequence[str]) -> tuple[str, ...]:
    """The names, each only once: a second ``text`` is ``text (2)``; one without a name is ``column 3``."""
    found: list[str] = []
    for place, one in enumerate(given, start=1):
        name = tried = one.strip() or f"column {place}"
        number = 2
        while tried in found:
            tried, number = f"{name} ({number})", number + 1
        found.append(tried)
    return tuple(found)


def _told(column: str, header: tuple[str, ...], name: str) -> int:
    for same in (str, names.word):
        for place, one in enumerate(header):
            if same(column) == same(one) and same(column):
                return place
    if column.isdecimal() and 0 < int(column) <= len(header):
        return int(column) - 1
    shown = ", ".join(header[:_SHOWN]) + (", ..." if len(header) > _SHOWN else "")
    raise RequestError(f"{name} has no column {column!r}.", f"columns {shown}", "Choose one of these.")


def _part(known: tuple[str, ...], body: _Body, told: int | None) -> tuple[int | None, str]:
    words = [names.word(one) for one in known]
    for name, meant in names.FLAGS.items():
        if name in words and told in (None, words.index(name)):
            return words.index(name), meant
    if told is not None:
        return told, ""
    for place in names.named(known, names.PARTS):
        different = body.different[place]
        parts = {part_of(one) for one in different} if len(different) <= 20 else set()
        if "train" in parts and len(parts - {None}) > 1:
            return place, ""
    return None, ""


def _check(name: str, column: str, body: _Body, place: int) -> None:
    """Refuses a column that is no label."""
    many = len({labels.key(one) for one in body.different[place]})
    if many > MOST_CLASSES:
        raise RequestError(
            f"The column {column!r} has too many different values for a label.",
            f"{many:,} of at most {MOST_CLASSES:,} classes in {name}", _SET,
        )  # fmt: skip


def _label(
    name: str, known: tuple[str, ...], header: tuple[str, ...], body: _Body, taken: set[int | None]
) -> tuple[int, list[int]]:
    free = [one for one in range(len(header)) if one not in taken]
    by_name = [one for one in names.named(known, names.LABEL) if one in free and body.filled[one]]
    for place in by_name:
        if body.may_be_label(place):
            return _with_names(place, body, free), []
    alone = [one for one in by_name if not _only_text(one, by_name, known)]
    if alone and (not body.is_textual(alone[0]) or len(body.different[alone[0]]) <= MOST_CLASSES):
        _check(name, header[alone[0]], body, alone[0])
        if not body.is_measured(alone[0]):
            return alone[0], []
    texts = [one for one in free if body.is_textual(one)]
    longest = max([one for one in texts if not body.may_be_label(one)], key=body.length, default=None)
    if longest is None and len(texts) > 1:
        longest = max(texts, key=body.length)
    plausible = [
        one for one in free if one != longest and body.may_be_label(one) and not (known and names.is_id(known[one]))
    ]
    if plausible:
        best = min(plausible, key=lambda one: (not body.is_full(one), len(body.different[one]), one))
        others = [one for one in plausible if one != best and body.is_full(one)]
        return _with_names(best, body, free), others if body.is_full(best) else []
    if alone:
        _check(name, header[alone[0]], body, alone[0])
        raise RequestError(
            f"The column {header[alone[0]]!r} contains measurements, not classes.",
            f"{', '.join(sorted(body.different[alone[0]])[:4])} ... in {name}",
            "Turn them into classes, such as low and high, in a column of their own.",
        )
    raise _no_label(name, header, body, [one for one in free if one != longest])


def _no_label(name: str, header: tuple[str, ...], body: _Body, others: list[int]) -> RequestError:
    """What the table has instead of a label."""
    said = f"only the column {header[0]!r}" if len(header) == 1 else f"columns {', '.join(header[:_SHOWN])}"
    many = [one for one in others if len(body.different[one]) > MOST_CLASSES]
    constant = [one for one in others if len(body.different[one]) == 1]
    if many:
        said += f"; {header[many[0]]!r} has {len(body.different[many[0]]):,} different values"
    elif constant:
        said += f"; {header[constant[0]]!r} is the same in every row"
    return RequestError(f"No column of {name} looks like a label.", said, _SET)


def _only_text(place: int, by_name: list[int], known: tuple[str, ...]) -> bool:
    """Whether a name means a text rather than a label, as far as names go."""
    return len(by_name) > 1 and names.word(known[place]) in names.TEXT


def _with_names(place: int, body: _Body, others: list[int]) -> int:
    """For a column of numbers the one that has their names, in words; else the column itself."""
    column = body.columns[place]
    if not all(re.fullmatch(r"-?\d+(\.0+)?", one) for one in body.different[place]):
        return place
    for other in others:
        words = body.different[other]
        if other == place or not 2 * len(words) <= len(column) or any(re.search(r"\d", one) for one in words):
            continue
        pairs = {(one, two) for one, two in zip(column, body.columns[other], strict=False) if one and two}
        if len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs}) == len(body.different[place]):
            return other
    return place


def _text(name: str, known: tuple[str, ...], header: tuple[str, ...], body: _Body, taken: set[int | None]) -> list[int]:
    free = [one for one in range(len(header)) if one not in taken and body.is_textual(one)]
    words = [names.word(one) for one in known]
    for pair in names.PAIRS:
        places = [words.index(one) for one in pair if one in words]
        if len(places) == 2 and set(places) <= set(free):
            return places
    by_name = [one for one in names.named(known, names.TEXT) if one in free]
    if by_name:
        titles = [one for one in free if words[one] in names.TITLES and one != by_name[0]]
        return [*titles[:1], by_name[0]]
    unnamed = [one for one in free if not (known and names.is_id(known[one]))]
    if not unnamed:
        shown = ", ".join(header[:_SHOWN])
        numbers = not any(re.search(r"[^\W\d_]", one) for column in body.samples for one in column)
        what = "a table of numbers" if numbers else "no column of words"
        raise RequestError(f"No column of {name} looks like text.", f"{what}: {shown}", _SET)
    longest = max(unnamed, key=body.length)
    if known:
        return [longest]
    # Without names, all that reads like sentences: a title and its article, a question and its answer.
    return [
        one for one in unnamed
        if one == longest or (body.words(one) >= _A_TEXT and 2 * len(body.different[one]) > len(body.filled[one]))
    ]  # fmt: skip

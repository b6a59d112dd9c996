"""Which columns of a table hold the file, the label and the part: by their names, and by what is in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transfer.pictures.layout.matching import Files
from transfer.pictures.layout.sheet import Sheet
from transfer.pictures.layout.typed import Corrections
from transfer.received.words import part_of

# In order: the first that is there counts.
FILE_COLUMNS = (
    "file", "filename", "file_name", "path", "image", "picture", "filepath", "file_path", "image_path", "imagepath",
    "img_path", "image_name", "imagename", "image_file", "image_filename", "img_name", "img", "image_id", "imageid",
    "img_id", "images", "files", "filenames", "photo", "pic", "uri", "url", "datei", "bild", "fichier", "archivo",
    "relative_path", "full_path", "id", "uid", "uuid", "key", "name",
)  # fmt: skip
LABEL_COLUMNS = (
    "label", "class", "category", "target", "labels", "classes", "label_name", "class_name", "labelname", "classname",
    "category_name", "target_name", "label_text", "class_label", "label_id", "class_id", "category_id", "labelid",
    "classid", "breed", "species", "diagnosis", "dx", "tag", "tags", "type", "y", "y_true", "ground_truth", "gt",
    "annotation", "klasse", "kategorie", "etikett", "clase", "etiqueta", "classe", "categoria",
    "标签", "类别", "ラベル",
)  # fmt: skip
PART_COLUMNS = ("split", "part", "set", "subset", "partition", "phase", "usage", "data_set", "dataset", "fold_type")
FLAGS = {"is_valid": "validation", "is_val": "validation", "is_validation": "validation", "is_test": "test"}
_YES, _NO = frozenset({"1", "1.0", "true", "yes"}), frozenset({"0", "0.0", "false", "no", ""})
_PROBE = 400


class Unfit(Exception):
    """The table does not give labels to pictures that are here; the message says why, in a few words."""


@dataclass(frozen=True)
class Columns:
    """Places of the columns, counted from 0.

    Args:
        file: names of files.
        label: labels; None when there is a column a class.
        part: parts, or None.
        flag: the part that a ``true`` in the part column means, for ``is_test``; empty for a column of part names.
        one_hot: columns of 0 and 1, one a class.
        header: names of all columns; empty when the first row is a row like any other.
    """

    file: int
    label: int | None
    part: int | None = None
    flag: str = ""
    one_hot: tuple[int, ...] = ()
    header: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """Names of the columns, as a person knows them."""
        places = {"file": self.file, "label": self.label, "part": self.part}
        found = {name: self._name(place) for name, place in places.items() if place is not None}
        if self.one_hot:
            found["label"] = " | ".join(self._name(one) for one in self.one_hot[:6])
        return found

    def _name(self, place: int) -> str:
        return self.header[place] if place < len(self.header) and self.header[place] else str(place + 1)


def of(sheet: Sheet, files: Files, near: str, wanted: Corrections) -> Columns:
    """The columns of a table.

    Args:
        sheet: the table.
        files: that it may name.
        near: the folder in which names are looked for first.
        wanted: columns that a person has named, by their header or their number from 1.

    Raises:
        Unfit: no column names files that are here, or none can be the label.
    """
    if sheet.width < 2:
        raise Unfit("it has no two columns")
    words = [_word(one) for one in sheet.rows[0][1]]
    body = _column_wise(sheet, sheet.rows[1:])
    file = _told(wanted.file_column, sheet) if wanted.file_column else _file(words, body, files, near)
    if file is None:
        place = next((words.index(one) for one in FILE_COLUMNS if one in words), 0)
        first = [f"line {line}: {cells[place]!r}" for line, cells in sheet.rows[1:4]]
        raise Unfit(f"none of its columns names files that are here ({', '.join(first)})")
    header = _has_header(sheet, words, file, files, near)
    if not header:
        body = _column_wise(sheet, sheet.rows)
        words = []
    part, flag = _part(words, body, file, _told(wanted.part_column, sheet) if wanted.part_column else None)
    free = [one for one in range(sheet.width) if one not in (file, part)]
    names = tuple(sheet.rows[0][1]) if header else ()
    if wanted.label_column:
        return Columns(file, _told(wanted.label_column, sheet), part, flag, (), names)
    label, one_hot = _label(words, body, free, names, file)
    return Columns(file, label, part, flag, one_hot, names)


def is_yes(cell: str) -> bool:
    """Whether a cell of a column of 0 and 1 says that it is so."""
    return cell.casefold() in _YES


def _word(cell: str) -> str:
    return re.sub(r"[\W_]+", "_", cell.casefold()).strip("_")


def _told(column: str, sheet: Sheet) -> int:
    header = sheet.rows[0][1]
    for place, one in enumerate(header):
        if column in (one, str(place + 1)) or _word(one) == _word(column):
            return place
    raise Unfit(f"it has no column {column!r}: it has {', '.join(header[:12])}")


def _column_wise(sheet: Sheet, rows: Sequence[tuple[int, tuple[str, ...]]]) -> list[list[str]]:
    return [list(column) for column in zip(*(cells for _, cells in rows), strict=True)] or [
        [] for _ in range(sheet.width)
    ]


def _sample(column: list[str]) -> list[str]:
    step = max(1, len(column) // _PROBE)
    return [one for one in column[::step] if one]


def _found(column: list[str], files: Files, near: str) -> float:
    """The share of cells that name a file that is here."""
    probe = _sample(column)
    return sum(bool(files.find(one, near) or files.by_tail(one)[0]) for one in probe) / max(1, len(probe))


def _file(words: list[str], body: list[list[str]], files: Files, near: str) -> int | None:
    shares = [_found(column, files, near) for column in body]
    for word in FILE_COLUMNS:
        if word in words and shares[words.index(word)] > 0:
            return words.index(word)
    best = max(range(len(shares)), key=lambda one: (shares[one], len(set(_sample(body[one])))))
    return best if shares[best] >= 0.5 else None


def _has_header(sheet: Sheet, words: list[str], file: int, files: Files, near: str) -> bool:
    known = set(FILE_COLUMNS) | set(LABEL_COLUMNS) | set(PART_COLUMNS)
    first = sheet.rows[0][1]
    cell = first[file]
    if files.find(cell, near) and words[file] not in FILE_COLUMNS:
        return False
    return bool(known & set(words)) or not re.search(r"\.\w{2,5}$", cell)


def _part(words: list[str], body: list[list[str]], file: int, told: int | None) -> tuple[int | None, str]:
    for word, meant in FLAGS.items():
        if word in words and told in (None, words.index(word)):
            return words.index(word), meant
    if told is not None:
        return told, ""
    for word in PART_COLUMNS:
        if word in words and words.index(word) != file:
            place = words.index(word)
            if word in PART_COLUMNS[:4] or any(part_of(one) for one in set(_sample(body[place]))):
                return place, ""
    return None, ""


def _label(
    words: list[str], body: list[list[str]], free: list[int], header: tuple[str, ...], file: int
) -> tuple[int | None, tuple[int, ...]]:
    named = [words.index(one) for one in LABEL_COLUMNS if one in words and words.index(one) in free]
    if named:
        return _with_names(named[0], body, free), ()
    binary = [one for one in free if header and header[one] and _is_binary(body[one])]
    if len(binary) > 1:
        return None, tuple(binary)
    plausible = [one for one in free if _may_be_label(body[one])]
    if not header and file + 1 in plausible:
        return file + 1, ()
    if not plausible:
        raise Unfit("none of its columns can be the label")
    best = _with_names(plausible[0], body, plausible)
    others = [one for one in plausible if one != best and not _one_to_one(body[one], body[best])]
    if others:
        said = ", ".join(header[one] if header else str(one + 1) for one in (best, *others))
        raise Unfit(f"several of its columns could be the label: {said}")
    return best, ()


def _is_binary(column: list[str]) -> bool:
    seen = {one.casefold() for one in column}
    return seen <= _YES | _NO and bool(seen & _YES)


def _may_be_label(column: list[str]) -> bool:
    """Whether few different values stand in it again and again, and no measurements."""
    given = [one for one in column if one]
    different = set(given)
    measured = any(re.fullmatch(r"[-+]?\d*[.,]\d*[1-9]\d*", one) for one in list(different)[:_PROBE])
    return len(different) > 1 and 2 * len(different) <= len(given) and not measured


def _one_to_one(first: list[str], second: list[str]) -> bool:
    pairs = set(zip(first, second, strict=True))
    return len(pairs) == len({one for one, _ in pairs}) == len({one for _, one in pairs})


def _with_names(place: int, body: list[list[str]], others: list[int]) -> int:
    """For a column of numbers the one beside it that has their names; else the column itself."""
    column = body[place]
    if not all(one.isdecimal() for one in set(column) if one):
        return place
    for other in others:
        words = set(body[other]) - {""}
        again = 0 < 2 * len(words) <= len(column)
        if other != place and again and not any(one.isdecimal() for one in words) and _one_to_one(column, body[other]):
            return other
    return place

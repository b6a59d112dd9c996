"""Files of labelled texts, read as a whole: which of them hold the texts, and what that gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from transfer.errors import RequestError
from transfer.received.archive_names import ARCHIVES
from transfer.received.files import Unreadable, opened
from transfer.received.words import Part, parts_of
from transfer.texts.files import by_folders, by_table, columns, labels, objects, separated
from transfer.texts.files.decoding import SAVE, decoded
from transfer.texts.files.finishing import HOW, PARTS, Found, finished
from transfer.texts.files.source import Folder, Several, Source, Zip, is_zip
from transfer.texts.files.typed import Choices, Collected, Row, Table

TABLES = (".csv", ".tsv", ".tab", ".psv", ".txt")
JSON = (".json", ".jsonl", ".ndjson")
SHEETS = (".xlsx", ".xlsm", ".xls", ".ods", ".numbers", ".parquet", ".arrow", ".docx", ".pdf")
_NAMED = 8


def from_path(place: Path, choices: Choices) -> Found:
    """Reads a file, a zip or a folder of this machine.

    Raises:
        RequestError: it is not there, or holds nothing that could be learned.
    """
    is_there(place)
    if place.is_file():
        try:
            with opened(place) as file:
                if is_zip(file.read(200), place.name):
                    return from_source(Zip(place.name, file), choices)
        except Unreadable as problem:
            raise RequestError(f"{place.name} cannot be read.", str(problem), "Allow the lab to read it.") from None
    return from_source(Folder(place), choices)


def is_there(place: Path) -> None:
    """Raises `RequestError` if there is no such file or folder, or nobody may know."""
    try:
        place.stat()
    except (OSError, ValueError) as problem:
        gone = isinstance(problem, FileNotFoundError | NotADirectoryError | ValueError)
        raise RequestError(
            "There is no such file or folder." if gone else "The file or folder cannot be read.",
            str(place) if gone else f"{place}: {problem}", "Give the path of one that the lab may read.",
        ) from None  # fmt: skip


def from_files(files: Mapping[str, IO[bytes]], choices: Choices) -> Found:
    """Reads files that are at hand, by their names; a single one may be a zip."""
    return from_source(_source(files), choices)


def _source(files: Mapping[str, IO[bytes]]) -> Source:
    if len(files) == 1:
        ((name, file),) = files.items()
        file.seek(0)
        if is_zip(file.read(200), name):
            return Zip(name, file)
    contents = {}
    for name, file in files.items():
        file.seek(0)
        contents[name] = file.read()
    return Several(next(iter(files)) if len(files) == 1 else "the files", contents)


def columns_at(place: Path) -> tuple[str, ...]:
    """Names of the columns of a table on this machine, whatever else is wrong with it; empty if there are none."""
    try:
        with opened(place) as file:
            zipped = is_zip(file.read(200), place.name)
            return _columns(Zip(place.name, file)) if zipped else _columns(Folder(place))
    except Unreadable:
        return _columns(Folder(place)) if place.is_dir() else ()
    except RequestError:
        return ()


def columns_in_files(files: Mapping[str, IO[bytes]]) -> tuple[str, ...]:
    """The same of files that are at hand."""
    try:
        return _columns(_source(files))
    except RequestError:
        return ()


def _columns(source: Source) -> tuple[str, ...]:
    tables = _tables(source)
    parts = _parts_of_tables(source, tables)
    first = next((one for one, part in parts.items() if part == "train"), tables[0] if len(tables) == 1 else "")
    try:
        return columns.names_of(table(first, source.read(first))) if first else ()
    except (RequestError, Unreadable):
        return ()


def from_source(source: Source, choices: Choices) -> Found:
    """Reads whatever a source has.

    Raises:
        RequestError: it holds nothing that could be learned; the message says what it holds.
    """
    collected = _collected(source, choices)
    said = getattr(source, "said", "")
    return finished(source.title, collected, (said,) if said else ())


def _collected(source: Source, choices: Choices) -> Collected:
    if not source.names:
        raise RequestError(f"{source.title} is empty.", "no files", HOW)
    tables = _tables(source)
    in_folders = by_folders.classes_in(source.names)
    if len({name for _, name in in_folders.values()}) > 1 and not choices.given:
        return by_folders.rows(source, in_folders)
    parts = _parts_of_tables(source, tables)
    if len(parts) > 1 or len(tables) == 1:
        return _of_tables(source, parts or {tables[0]: "train"}, choices)
    zips = [one for one in source.names if one.lower().endswith(".zip")]
    if not tables and len(zips) == 1:
        return _of_zip(source, zips[0], choices)
    raise _nothing(source, tables)


def _tables(source: Source) -> list[str]:
    """Files that may be tables, by their endings; a single file may be called anything."""
    found = [one for one in source.names if one.lower().endswith((*TABLES, *JSON))]
    return found or [one for one in source.names if len(source.names) == 1 and not one.lower().endswith(".zip")]


def _of_zip(source: Source, name: str, choices: Choices) -> Collected:
    from io import BytesIO

    if isinstance(source, Zip):
        raise RequestError("The archive contains another archive.", name, "Unpack it, and give the files inside.")
    try:
        made = _collected(Zip(name, BytesIO(source.read(name))), choices)
    except Unreadable as problem:
        raise RequestError(f"{name} cannot be read.", str(problem), "Allow the lab to read it.") from None
    made.said.insert(0, f"Read from {name}.")
    made.left_out += [(one, "next to the archive, not used") for one in source.names if one != name]
    return made


def _nothing(source: Source, tables: list[str]) -> RequestError:
    if len(tables) > 1:
        shown = ", ".join(tables[:_NAMED]) + (", ..." if len(tables) > _NAMED else "")
        return RequestError(
            f"{source.title} has several tables, and their names do not say which is for training.", shown,
            "Give one of them, or name them train.csv and test.csv.",
        )  # fmt: skip
    sheets = [one for one in source.names if one.lower().endswith(SHEETS)]
    if sheets:
        return RequestError(f"{source.title} has no file that can be read.", ", ".join(sheets[:_NAMED]), SAVE)
    packed = [one for one in source.names if one.lower().endswith(tuple(ARCHIVES))]
    if packed:
        return RequestError(f"{source.title} has no texts.", ", ".join(packed[:_NAMED]), "Unpack the archive first.")
    shown = ", ".join(source.names[:_NAMED]) + (", ..." if len(source.names) > _NAMED else "")
    return RequestError(f"{source.title} has no labelled texts.", shown, HOW)


def _parts_of_tables(source: Source, tables: list[str]) -> dict[str, Part]:
    """Tables whose names say which part they are, when one of them is for training."""
    by_folder: dict[str, list[str]] = {}
    for one in tables:
        by_folder.setdefault(str(PurePosixPath(one).parent), []).append(one)
    for several in by_folder.values():
        stems = {PurePosixPath(one).stem: one for one in several}
        found = {stems[stem]: part for stem, part in parts_of(stems).items() if part is not None}
        if "train" in found.values() and len(set(found.values())) == len(found) > 1:
            return found
    return {}


def _of_tables(source: Source, parts: dict[str, Part], choices: Choices) -> Collected:
    alone = len(parts) == 1
    made = Collected(parts_from="" if alone else "the file names")
    order = sorted(parts, key=lambda one: PARTS.index(parts[one]))
    for name in order:
        try:
            one = by_table.rows(table(name, source.read(name)), choices, parts[name], split=alone)
        except Unreadable as problem:
            raise RequestError(f"{name} cannot be read.", str(problem), "Allow the lab to read it.") from None
        except RequestError as problem:
            if parts[name] == "train" or choices.given and not made.rows:
                raise
            # A test that was handed out without its labels, as in competitions.
            made.left_out.append((name, f"{problem.wrong.rstrip('.')}"))
            continue
        if not alone and parts[name] != "train" and len({labels.key(row.label) for row in one.rows}) == 1:
            made.left_out.append((name, f"every label in it is {one.rows[0].label!r}"))
            continue
        prefix = "" if alone else f"{name} "
        made.rows += [Row(row.text, row.label, row.part, prefix + row.where) for row in one.rows]
        made.left_out += [(prefix + where, why) for where, why in one.left_out]
        made.said += [sentence for sentence in one.said if sentence not in made.said]
        if parts[name] == "train":
            made.texts_from, made.labels_from = one.texts_from, one.labels_from
            made.columns, made.chosen = one.columns, one.chosen
            made.parts_from = made.parts_from or one.parts_from
            if not choices.given:
                choices = Choices(one.chosen.text, one.chosen.label)  # the same in every part
    made.left_out += [(one, "not used") for one in source.names if one not in parts]
    return made


def table(name: str, content: bytes) -> Table:
    """The table in a file.

    Raises:
        RequestError: it is empty, or no table of text.
    """
    if not content.strip():
        raise RequestError(f"{name} is empty.", f"{len(content)} bytes", SAVE)
    text, encoding = decoded(content, name)
    begins = text.lstrip("\ufeff \t\r\n\0")[:1]
    if name.lower().endswith(JSON) or (begins == "{" and not name.lower().endswith((".csv", ".tsv"))):
        made = objects.read(text, name)
    else:
        made = separated.read(text, name)
    if encoding:
        made.said.append(f"The file's encoding is {encoding}.")
    return made

"""Folders of texts: one folder a class, below folders for training and test where there are any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePosixPath

from transfer.errors import RequestError
from transfer.received.code_pages import NAMES
from transfer.received.files import Unreadable
from transfer.received.words import Part, parts_of
from transfer.texts.files.decoding import common_encoding, decoded, is_undecoded
from transfer.texts.files.source import Source
from transfer.texts.files.typed import Collected, LeftOut, Row

ENDINGS = frozenset({"", ".txt", ".text", ".md", ".htm", ".html"})
UNLABELLED = frozenset({"unsup", "unlabeled", "unlabelled", "unsupervised", "nolabel"})
_EMPTY = " \t\n\r\f\v\0\ufeff\u200b\u200e\u200f\u2060\u00a0"


def is_text(name: str) -> bool:
    """Whether a file in a folder of texts is one, by its ending; 20 Newsgroups and others have none."""
    ending = PurePosixPath(name).suffix.lower()
    return ending in ENDINGS or ending[1:].isdigit()


def classes_in(names: Iterable[str]) -> dict[str, tuple[Part, str]]:
    """Part and class of each text that lies in a folder of its class; empty if the folders are no classes.

    Args:
        names: of all files, ``/`` between folders.
    """
    texts = [PurePosixPath(one) for one in names if is_text(one) and "/" in one]
    depth = _wrapping(texts)
    inner = {one: one.parts[depth:] for one in texts if len(one.parts) > depth + 1}
    tops = Counter(parts[0] for parts in inner.values())
    parts = {name: part for name, part in parts_of(tops).items() if part is not None}
    found: dict[str, tuple[Part, str]] = {}
    if "train" in parts.values():
        for one, path in inner.items():
            if path[0] in parts and len(path) > 2 and path[1].casefold() not in UNLABELLED:
                found[str(one)] = (parts[path[0]], path[1])
    if len({name for _, name in found.values()}) < 2 and not (parts and set(parts) == set(tops)):
        found = {str(one): ("train", path[0]) for one, path in inner.items() if path[0].casefold() not in UNLABELLED}
    return found


def rows(source: Source, found: dict[str, tuple[Part, str]]) -> Collected:
    """The texts in folders of their classes.

    Args:
        source: where they are.
        found: part and class by name, as `classes_in` gives them.

    Raises:
        RequestError: none of them can be read.
    """
    made = Collected(labels_from="the folder names", texts_from=", one file each")
    if len({part for part, _ in found.values()}) > 1:
        made.parts_from = "the folder names"
    foreign: list[tuple[str, bytes]] = []
    encodings: Counter[str] = Counter()
    for name in sorted(found):
        try:
            raw = source.read(name)
        except Unreadable as problem:
            made.left_out.append((name, str(problem)))
            continue
        if not _is_foreign(raw):
            _add(made, name, raw, found[name], encodings)
        elif why := _no_text(raw, name):
            made.left_out.append((name, why))
        else:
            foreign.append((name, raw))
    code = common_encoding([raw for _, raw in foreign[:2000]]) if foreign else ""
    for name, raw in foreign:
        try:
            as_utf8 = raw.decode(code).encode()
        except UnicodeDecodeError:
            made.left_out.append((name, "bytes that do not fit the other files' encoding"))
            continue
        encodings[NAMES.get(code, code)] += _add(made, name, as_utf8, found[name], Counter())
    made.said += [f"{count:,} of the files are encoded as {name}." for name, count in encodings.items() if count]
    made.left_out += _others(source.names, found)
    made.rows.sort(key=lambda row: row.where)
    return made


def _add(made: Collected, name: str, raw: bytes, place: tuple[Part, str], encodings: Counter[str]) -> int:
    if why := _no_text(raw, name):
        made.left_out.append((name, why))
        return 0
    text, encoding = decoded(raw, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip(_EMPTY)
    if not text or is_undecoded(text):
        made.left_out.append((name, "bytes that are not UTF-8" if text else "no text"))
        return 0
    if encoding:
        encodings[encoding] += 1
    made.rows.append(Row(text, place[1], place[0], name))
    return 1


def _no_text(raw: bytes, name: str) -> str:
    """Why a file is no text; empty if it is one."""
    try:
        decoded(raw, name)
    except RequestError as problem:
        return problem.wrong.removeprefix(f"{name} is ").rstrip(".")
    return ""


def _is_foreign(raw: bytes) -> bool:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or 0 in raw[:4]:
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _wrapping(texts: list[PurePosixPath]) -> int:
    """How many folders lie around the classes: those that all texts share."""
    depth = 0
    while True:
        inside = [one for one in texts if len(one.parts) > depth + 1]
        tops = {one.parts[depth] for one in inside}
        deeper = [one for one in inside if len(one.parts) > depth + 2]
        # A single folder is around the classes if it has folders in it; "texts" beside nothing is, too.
        if len(tops) != 1 or not deeper:
            return depth
        depth += 1


def _others(names: tuple[str, ...], found: dict[str, tuple[Part, str]]) -> list[LeftOut]:
    """What lies beside the texts, folder by folder."""
    left: list[LeftOut] = []
    unlabelled: Counter[str] = Counter()
    for name in names:
        if name in found:
            continue
        path = PurePosixPath(name)
        if any(one.casefold() in UNLABELLED for one in path.parts[:-1]):
            unlabelled[str(path.parent)] += 1
        elif is_text(name):
            left.append((name, "not in a class folder"))
        else:
            left.append((name, f"not a text, judging by its ending {path.suffix}"))
    return [*((f"{folder}/", f"{count:,} texts without a label") for folder, count in unlabelled.items()), *left]

"""Text from a file's bytes: the encoding is found and said, and bytes that do not fit it stay recognisable."""

from __future__ import annotations

import re

from transfer.errors import RequestError
from transfer.received.archive_names import kind_of
from transfer.received.code_pages import NAMES, encoding_of

SAVE = "Save it as CSV, UTF-8, with a column for the text and one for the label."
_PROBE = 100_000
_FOREIGN = 40_000
_BROKEN = re.compile("[\ud800-\udfff]")
_LEFT_OVER = re.compile("[\udc80-\udcff]")
# Signs that no language has within a word, but other code pages have letters at these places.
_INSIDE = re.compile(r"(?<=[A-Za-z])(?:[¹³¼¾](?!\d)|[^\w\s\x00-\x7f’‘–—…·­](?=[A-Za-z]))")
_LATIN = ("cp1252", "cp1250", "cp437")
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x19\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MAGIC = {
    b"PK\x03\x04": "an Excel, OpenDocument or Word file", b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"PAR1": "a Parquet file", b"SQLite format 3": "an SQLite database", b"\x93NUMPY": "a NumPy array",
    b"ARROW1": "an Arrow file", b"\x80\x04\x95": "a Python pickle", b"{\\rtf": "a Rich Text document",
}  # fmt: skip


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """The text, and its encoding in words; empty for UTF-8.

    Bytes that are not of the encoding become lone surrogates, which `is_undecoded` finds.

    Args:
        content: of the file.
        name: of the file, for messages.

    Raises:
        RequestError: it is no text.
    """
    what = kind_of(content[:512]) if not content.startswith(b"<") else ""
    what = what or next((words for mark, words in _MAGIC.items() if content.startswith(mark)), "")
    if what:
        raise RequestError(f"{name} is {what}, not text.", name, SAVE)
    text, encoding = _decoded(content)
    probe = text[:_PROBE]
    # Some NULs are somebody's mistake; many signs that nobody can see are a program or a picture.
    if len(_CONTROLS.findall(probe)) > max(3, len(probe) // 30) or probe.count("\0") > max(3, len(probe) // 5):
        raise RequestError(f"{name} is not a text file.", "bytes that are not text", SAVE)
    return text, "" if encoding.startswith("utf-8") else _in_words(encoding)


def is_undecoded(text: str) -> bool:
    """Whether a text holds bytes that could not be decoded."""
    return _LEFT_OVER.search(text) is not None


def mended(text: str) -> str:
    """The text with a replacement character for each half of a character."""
    return _BROKEN.sub("\ufffd", text)


def common_encoding(several: list[bytes]) -> str:
    """The code page of short texts that are not UTF-8, found from all of them together."""
    return _code_page(b"\n".join(several)[:_FOREIGN])


def _code_page(content: bytes) -> str:
    """The code page of bytes that are not UTF-8.

    Latin scripts have single letters and signs beyond ASCII, in words of ASCII letters; others whole words of them.
    Names of files are too short for that, and have `encoding_of` alone.
    """
    runs = re.findall(rb"[\x80-\xff]+", content)
    if sum(len(one) for one in runs if len(one) <= 2) < 0.7 * sum(map(len, runs)):
        return encoding_of(content)
    signs: dict[str, int] = {}
    for name in _LATIN:
        try:
            signs[name] = len(_INSIDE.findall(content.decode(name)))
        except UnicodeDecodeError:
            continue
    if signs.get("cp1252", len(runs)) <= 0.05 * len(runs):
        return "cp1252"
    return min(signs, key=signs.__getitem__)


def _decoded(content: bytes) -> tuple[str, str]:
    name = encoding_of(content[:_PROBE]) if content[:4].count(0) or content[:1] in b"\xff\xfe\xef" else "utf-8"
    if name.startswith(("utf-16", "utf-32")):
        return content.decode(name, "replace").removeprefix("\ufeff"), name
    text = content.decode("utf-8-sig", "surrogateescape")
    broken = len(_BROKEN.findall(text))
    if not broken:
        return text, "utf-8"
    foreign = sum(len(one) for one in re.findall(r"[^\x00-\x7f\ud800-\udfff]+", text))
    if foreign > 4 * broken:
        return text, "utf-8"
    lines = b"\n".join(one.group() for one in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*", content[:50_000_000]))
    name = _code_page(lines[:_FOREIGN])
    return content.decode(name, "surrogateescape" if name.startswith("utf-8") else "replace"), name


def _in_words(encoding: str) -> str:
    plain = {"utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-32": "UTF-32", "latin-1": "Western European (Latin-1)"}
    return plain.get(encoding) or NAMES.get(encoding, encoding)

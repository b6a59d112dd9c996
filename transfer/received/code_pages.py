"""Text from bytes of unknown encoding: names in archives and on disk, and tables."""

from __future__ import annotations

import codecs
import re
import unicodedata

_CANDIDATES = ("cp932", "gb18030", "big5", "cp949", "cp1252", "cp1251", "cp437", "cp866", "cp1250", "cp1253")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_MOST = 20_000
_COMMON, _LETTER, _RARE = 2.0, 1.2, 0.4
NAMES = {
    "cp932": "Japanese (Shift-JIS)", "gb18030": "Chinese (GBK)", "big5": "Chinese (Big5)", "cp949": "Korean",
    "cp1252": "Western European (Windows-1252)", "cp1251": "Cyrillic (Windows-1251)", "cp437": "DOS (cp437)",
    "cp866": "Cyrillic (DOS)", "cp1250": "Central European (Windows-1250)", "cp1253": "Greek (Windows-1253)",
}  # fmt: skip


def encoding_of(content: bytes) -> str:
    """The encoding that makes the likeliest text of these bytes.

    A byte order mark decides; otherwise UTF-8, which is hardly ever valid by chance; otherwise the code page that
    gives the most common letters. charset-normalizer 3.5, made for long texts, reads two short names in GBK as
    Big5 and one in cp437 as Korean: a few class names are too short for statistics, but consist of common letters.
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    if len(content) > 3 and content[1::2][:200].count(0) > len(content[1::2][:200]) // 2:
        return "utf-16-le"
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        pass
    part = content[:_MOST]
    scores = {name: _score(part, name, cut=len(content) > _MOST) for name in _CANDIDATES}
    best = max(scores, key=scores.__getitem__)  # the first of equals
    return best if scores[best] > 0 else "latin-1"


def text_of(content: bytes) -> tuple[str, str]:
    """The text and its encoding; what cannot be decoded becomes a replacement character."""
    name = encoding_of(content)
    return content.decode(name, "replace"), name


def _score(content: bytes, name: str, cut: bool) -> float:
    """How common the letters are that a code page makes of these bytes, per byte; 0 if they cannot be decoded."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        text = decoder.decode(content, final=not cut)
    except UnicodeDecodeError:
        return 0.0
    total, used = 0.0, 0
    for word in re.findall(r"[^\W\d_]+|[^\x00-\x7f]", text):
        foreign = [one for one in word if ord(one) > 127]
        plain = len(word) - len(foreign)
        for one in foreign:
            size = len(one.encode(name, "replace"))
            total += size * _common(one, name, plain >= len(foreign))
            used += size
    return total / used if used else 0.0


def _common(letter: str, name: str, among_ascii: bool) -> float:
    """How common a letter is in texts of that code page, 0 to 2."""
    kind = unicodedata.category(letter)
    if name in ("cp932", "gb18030", "big5", "cp949"):
        written = letter.encode(name, "replace")
        lead = written[0]
        if len(written) == 1 or not kind.startswith("L"):
            return 0.3  # half-width katakana, and signs between words
        first = {"cp932": lead in (0x82, 0x83) or 0x88 <= lead <= 0x97,
                 "gb18030": len(written) == 2 and 0xB0 <= lead <= 0xD7 and written[1] >= 0xA1,
                 "big5": 0xA4 <= lead <= 0xC6, "cp949": 0xB0 <= lead <= 0xC8 and written[1] >= 0xA1}  # fmt: skip
        return _COMMON if first[name] else _RARE
    if not kind.startswith("L"):
        return 0.0
    latin = unicodedata.name(letter, "").startswith("LATIN")
    if latin:
        return _LETTER if among_ascii else _RARE
    # Cyrillic and Greek words contain no Latin letters; a capital after a small letter is a wrong guess.
    return _LETTER if kind == "Ll" else 0.8

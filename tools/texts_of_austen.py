"""Passages of Jane Austen's novels, spread over all chapters; every fourth chapter is kept for the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.read_r import string_vectors

# Class names by the name of the novel in the package, in the order of publication.
NOVELS = {
    "sensesensibility": "Sense and Sensibility",
    "prideprejudice": "Pride and Prejudice",
    "mansfieldpark": "Mansfield Park",
    "emma": "Emma",
    "northangerabbey": "Northanger Abbey",
    "persuasion": "Persuasion",
}
TRAIN, TEST = 360, 120
_FEWEST, _MOST = 40, 80
_DASH = "\u2013"
_HEADING = re.compile(r"chapter [ivxl\d]+\.?$", re.IGNORECASE)
_BREAK = re.compile(r"(volume [ivx]+|finis|the end|\*.*)$", re.IGNORECASE)


def _chapters(lines: list[str]) -> list[list[str]]:
    """Paragraphs of each chapter; what stands before the first and after the end of the story is left out."""
    chapters: list[list[str]] = []
    paragraph: list[str] = []
    for line in [*(one.strip() for one in lines), ""]:
        ended = line.lower() in ("finis", "the end") or line.startswith("A NOTE ON")
        if _HEADING.match(line) or _BREAK.match(line) or not line or ended:
            if chapters and paragraph:
                chapters[-1].append(" ".join(paragraph))
            paragraph = []
            if _HEADING.match(line):
                chapters.append([])
            if ended and chapters:
                break
        else:
            paragraph.append(line)
    return chapters


def _plain(text: str) -> str:
    """The text without what only tells who typed the edition: marks of emphasis, kinds of dash, the stop in Mr."""
    text = re.sub(r"\b(Mr|Mrs|Dr|St|Messrs|Esq)\.", r"\1", text.replace("_", ""))
    return " ".join(re.sub(r"\s*-{2,}\s*", f" {_DASH} ", text).split())


def _passages(paragraphs: list[str]) -> Iterator[str]:
    """Runs of whole sentences of 40 to 80 words, none overlapping another."""
    text = " ".join(_plain(one) for one in paragraphs if not re.search(r"[\[\]*]", one))
    run: list[str] = []
    for sentence in re.split(r"(?<=[.!?])(?<! [A-Z]\.)\s+(?=[\"'(]?[A-Z])|(?<=[.!?][\"'])\s+(?=[\"'(]?[A-Z])", text):
        run = [*run, *sentence.split()]
        words = sum(one != _DASH for one in run)
        if words >= _FEWEST:
            if words <= _MOST:
                yield " ".join(run)
            run = []


def _spread(several: list[str], wanted: int) -> list[str]:
    """So many of them, at equal distances."""
    return [several[place * len(several) // wanted] for place in range(wanted)]


def chapters(data: Path) -> dict[str, list[tuple[str, str]]]:
    """Part (``train`` or ``test``, as in `passages`) and whole text of each novel's chapters, a paragraph a line.

    Args:
        data: the folder of the package that holds ``Rdata.rdx`` and ``Rdata.rdb``.
    """
    novels = string_vectors(data)
    return {
        title: [
            ("test" if place % 4 == 3 else "train", "\n".join(map(_plain, paragraphs)))
            for place, paragraphs in enumerate(_chapters(novels[name]))
        ]
        for name, title in NOVELS.items()
    }


def passages(data: Path) -> list[tuple[str, str, str]]:
    """Rows of part, class and text.

    Args:
        data: the folder of the package that holds ``Rdata.rdx`` and ``Rdata.rdb``.
    """
    rows, novels = [], string_vectors(data)
    for name, title in NOVELS.items():
        chapters = [list(_passages(one)) for one in _chapters(novels[name])]
        for part, wanted in (("train", TRAIN), ("test", TEST)):
            there = [one for place, one in enumerate(chapters) if (place % 4 == 3) == (part == "test")]
            found = _spread([passage for chapter in there for passage in chapter], wanted)
            rows += [(part, title, passage) for passage in found]
    return sorted(rows, key=lambda row: row[0], reverse=True)

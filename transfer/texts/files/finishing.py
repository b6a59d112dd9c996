"""Texts and classes from labelled rows: mended, each once, counted, and refused where nothing could be learned."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from transfer.errors import RequestError
from transfer.received.words import Part
from transfer.texts.files import labels
from transfer.texts.files.columns import MOST_CLASSES
from transfer.texts.files.decoding import mended
from transfer.texts.files.typed import Choices, Collected, LeftOut, Row
from transfer.texts.kept import Texts

MOST_TEXT = 1_000_000
PARTS: tuple[Part, ...] = ("train", "validation", "test")
_NAMED = 8
HOW = (
    "Give a CSV, TSV or JSON file with a column for the text and one for the label, or a folder of .txt files with one "
    "folder per class."
)


@dataclass(frozen=True)
class Found:
    """What was read.

    Args:
        texts: of each part that there is, by its name.
        labels: class indices of each part, int64.
        classes: class names in label order.
        said: how it was understood, in plain sentences.
        left_out: where and why, of everything that was not used.
        columns: names of the columns that could be chosen; empty for folders.
        chosen: the columns that were used.
    """

    texts: dict[Part, Texts]
    labels: dict[Part, np.ndarray]
    classes: tuple[str, ...]
    said: tuple[str, ...]
    left_out: tuple[LeftOut, ...] = ()
    columns: tuple[str, ...] = ()
    chosen: Choices = field(default_factory=Choices)

    def __len__(self) -> int:
        return sum(map(len, self.texts.values()))


def finished(title: str, made: Collected, said: tuple[str, ...]) -> Found:
    """Texts and classes from rows: mended, each once, and enough to learn from.

    Args:
        title: of the source, for messages.
        made: its rows.
        said: sentences to begin with.

    Raises:
        RequestError: nothing could be learned from them.
    """
    rows, remarks = _mended(made.rows)
    if not rows:
        reasons = Counter(why for _, why in made.left_out).most_common(1)
        raise RequestError(f"{title} has no labelled texts.", reasons[0][0] if reasons else "none", HOW)
    keys, spellings = labels.classes(row.label for row in rows)
    number = {one: place for place, one in enumerate(keys)}
    classes = tuple(keys.values())
    rows, doubles = _once(rows)
    _check(title, made, classes, rows, [number[labels.key(row.label)] for row in rows])
    texts: dict[Part, Texts] = {}
    targets: dict[Part, np.ndarray] = {}
    for part in PARTS:
        mine = [row for row in rows if row.part == part]
        if mine:
            texts[part] = Texts.of(row.text for row in mine)
            targets[part] = np.array([number[labels.key(row.label)] for row in mine], "int64")
    counts = ", ".join(f"{part} {len(one):,}" for part, one in texts.items())
    sentences = [
        f"{len(rows):,} texts{made.texts_from}; {len(classes):,} classes from {made.labels_from}: "
        f"{', '.join(classes[:_NAMED])}{', ...' if len(classes) > _NAMED else ''}.",
        f"Parts from {made.parts_from}: {counts}." if len(texts) > 1 else "",
        *said, *made.said, *spellings[:3], *remarks, *doubles, *summary(made.left_out),
    ]  # fmt: skip
    return Found(
        texts, targets, classes, tuple(one for one in sentences if one), tuple(made.left_out), made.columns, made.chosen
    )


def summary(left_out: list[LeftOut] | tuple[LeftOut, ...]) -> list[str]:
    """What was left out, reason by reason, in a sentence; nothing if nothing was."""
    if not left_out:
        return []
    by_reason: dict[str, list[str]] = {}
    for where, why in left_out:
        by_reason.setdefault(why, []).append(where)
    pieces = []
    for why, places in list(by_reason.items())[:5]:
        shown = places[:4]
        if all(one.startswith("line ") for one in shown):
            numbers = ", ".join(one.removeprefix("line ") for one in shown)
            named = f"line {numbers}" if len(places) == 1 else f"lines {numbers}"
        else:
            named = ", ".join(shown)
        pieces.append(f"{named}{' ...' if len(places) > len(shown) else ''} ({why})")
    more = "; and more" if len(by_reason) > 5 else ""
    rows = all(where.startswith(("line ", "item ")) or " line " in where or " item " in where for where, _ in left_out)
    noun = ("row", "rows") if rows else ("entry", "entries")
    count = f"1 {noun[0]} was" if len(left_out) == 1 else f"{len(left_out):,} {noun[1]} were"
    return [f"{count} left out: {'; '.join(pieces)}{more}."]


def _mended(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Texts without NULs and halves of characters, none longer than the limit; and sentences on that."""
    counts: Counter[str] = Counter()
    found = []
    for row in rows:
        text = row.text
        if "\0" in text:
            text = text.replace("\0", "").strip()
            counts["nul"] += 1
        if (whole := mended(text)) != text:
            text = whole
            counts["half"] += 1
        if len(text) > MOST_TEXT // 4 and len(encoded := text.encode()) > MOST_TEXT:
            text = encoded[:MOST_TEXT].decode("utf-8", "ignore")
            counts["long"] += 1
        if text:
            found.append(row if text is row.text else Row(text, row.label, row.part, row.where))
    words = {
        "nul": "NUL characters were removed from {}.", "half": "Broken characters were replaced in {}.",
        "long": f"{{}} longer than {MOST_TEXT / 1e6:g} MB, cut there.",
    }  # fmt: skip
    said = [words[name].format(f"{count:,} text{'s' * (count > 1)}") for name, count in counts.items()]
    return found, said


def _once(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Each text of a part once with each label; and sentences on what was there more often."""
    seen: dict[tuple[Part, bytes], set[str]] = {}
    found = []
    for row in rows:
        known = seen.setdefault((row.part, hashlib.sha256(row.text.encode()).digest()), set())
        one = labels.key(row.label)
        if one not in known:
            known.add(one)
            found.append(row)
    twice, conflicts = len(rows) - len(found), sum(len(known) > 1 for known in seen.values())
    said = []
    if twice:
        said.append(f"{twice:,} {'duplicate was' if twice == 1 else 'duplicates were'} left out.")
    if conflicts:
        noun = "text appears" if conflicts == 1 else "texts appear"
        said.append(f"{conflicts:,} {noun} with different labels; all of these rows are kept.")
    return found, said


def _check(title: str, made: Collected, classes: tuple[str, ...], rows: list[Row], numbers: list[int]) -> None:
    """Raises when there is nothing to learn: one class, too many, or one with too few texts."""
    source = f"{made.labels_from} of {title}" if "column" in made.labels_from else title
    if len(classes) < 2:
        raise RequestError(
            f"There is only one class in {source}.", f"{len(rows):,} texts of {classes[0]!r}",
            "Add texts of another class, or choose another column for the label.",
        )  # fmt: skip
    if len(classes) > MOST_CLASSES:
        raise RequestError(
            f"There are too many classes in {source}.", f"{len(classes):,} of at most {MOST_CLASSES:,}",
            "Choose another column for the label.",
        )  # fmt: skip
    counts = np.bincount([label for row, label in zip(rows, numbers, strict=True) if row.part == "train"],
                         minlength=len(classes))  # fmt: skip
    needed = 3 - len({row.part for row in rows} & {"validation", "test"})
    few = np.flatnonzero(counts < needed)
    if len(few):
        scarcest = int(few[np.argmin(counts[few])])
        where = ", ".join(row.where for row, label in zip(rows, numbers, strict=True) if label == scarcest)
        others = f" {len(few) - 1:,} more classes have too few." if len(few) > 1 else ""
        raise RequestError(
            f"The class {classes[scarcest]!r} in {source} has too few texts to train on.{others}",
            f"{counts[scarcest]} of at least {needed}" + (f" ({where[:100]})" if where else ""),
            "Add texts to it, or take its rows out. If these are no classes, choose another column for the label.",
        )  # fmt: skip

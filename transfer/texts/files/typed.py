"""What the readers of texts give one another: tables, rows, and what a person has chosen."""

from __future__ import annotations

from dataclasses import dataclass, field

from transfer.received.words import Part

Cell = str | None
LeftOut = tuple[str, str]
NONE = "none"


class Several(str):
    """A cell that held a list of more than one value; no label, but it may be a text."""


@dataclass(frozen=True)
class Choices:
    """What a person has chosen of a table; empty fields are found out.

    Args:
        text: columns of the text, by name or by number from 1; several are joined.
        label: the column of the label.
        split: the column of the parts; ``none`` for a table that is not to be divided by one.
    """

    text: tuple[str, ...] = ()
    label: str = ""
    split: str = ""

    @property
    def given(self) -> bool:
        """Whether anything was chosen."""
        return bool(self.text or self.label or self.split)


@dataclass
class Table:
    """Rows of cells with the lines that they came from.

    Args:
        name: of the file.
        header: names of the columns; empty when it is not known whether the first row has them.
        rows: (where, cells): a line or an item in words, and the row's cells.
        said: how it was read, in plain sentences.
        left_out: where and why, of rows that cannot be read.
    """

    name: str
    header: tuple[str, ...] = ()
    rows: list[tuple[str, tuple[Cell, ...]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """A text with its label as written, its part, and where it was found."""

    text: str
    label: str
    part: Part
    where: str


@dataclass
class Collected:
    """Labelled rows, as a table or a folder gives them.

    Args:
        rows: all of them.
        labels_from: where the labels come from, in words: ``the column stars``.
        texts_from: the same of the texts, as it follows their number: `` from the column review``.
        parts_from: the same of the parts; empty when there are none.
        said: how it was read, in plain sentences.
        left_out: where and why.
        columns: names of all columns that could be chosen.
        chosen: those that were used.
    """

    rows: list[Row] = field(default_factory=list)
    labels_from: str = ""
    texts_from: str = ""
    parts_from: str = ""
    said: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    chosen: Choices = field(default_factory=Choices)

"""How a folder was understood, and how a person wants it understood: plain, typed data."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

from transfer.experiment import Options
from transfer.received.words import Part, shown

Named = tuple[str, str, Part]
LEFT_OUT = "left out"


class Corrections(Options):
    """How to read a folder.

    Whatever is left empty is found out.
    """

    root: str | None = Field(None, description="The sub-folder that holds the classes or the table.")
    way: Literal["folders", "table"] | None = Field(None, description="Whether folders or a table give the labels.")
    classes: Literal["folders", "sub-folders"] | None = Field(
        None, description="Whether the classes are the outer folders or the folders inside of them."
    )
    parts: dict[str, Literal["train", "validation", "test", "left out"]] = Field(
        default_factory=dict, description="Which folder or table is which part, by its name."
    )
    table: str | None = Field(None, description="The table that gives the labels, by its name in the folder.")
    file_column: str | None = Field(None, description="Its column of file names.")
    label_column: str | None = Field(None, description="Its column of labels.")
    part_column: str | None = Field(None, description="Its column of parts.")

    @property
    def given(self) -> dict[str, object]:
        """What a person has said."""
        return {name: value for name, value in self.model_dump().items() if value}


class Understood(BaseModel):
    """What a folder means.

    Args:
        root: the sub-folder that names are given in; empty for the folder itself.
        way: whether folders or a table gave the labels.
        files: name, class and part of each picture.
        classes: class names, sorted.
        parts: the part of each folder or table that is one, or ``left out``.
        tables: the tables that were read, in ``root``.
        columns: the columns that gave ``file``, ``label`` and ``part``.
        left_out: name and reason of what is not used.
        notes: whole sentences about what else was decided.
    """

    model_config = ConfigDict(frozen=True)

    # Names as the system gives them: some are bytes in no encoding, which pydantic would refuse.
    root: SkipValidation[str] = ""
    way: Literal["folders", "table"] = "folders"
    files: SkipValidation[tuple[Named, ...]] = ()
    classes: SkipValidation[tuple[str, ...]] = ()
    parts: SkipValidation[dict[str, str]] = Field(default_factory=dict)
    tables: SkipValidation[tuple[str, ...]] = ()
    columns: dict[str, str] = Field(default_factory=dict)
    left_out: SkipValidation[tuple[tuple[str, str], ...]] = ()
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> tuple[str, ...]:
        """What was understood, in plain sentences; the first counts classes and parts."""
        found = [one for one in ("train", "validation", "test") if one in {part for _, _, part in self.files}]
        given = {1: "not divided into parts"}.get(len(found), f"{_NUMBERS[len(found)]} parts ({', '.join(found)})")
        said = [f"{len(self.classes)} classes, {given}."]
        if self.root:
            said.append(f"They are read from {shown(self.root)}.")
        if self.way == "table":
            said.append(f"Labels come from {_joined([shown(one) for one in self.tables])}{self._by}.")
        return (*said, *self.notes)

    @property
    def _by(self) -> str:
        named = [self.columns[one] for one in ("file", "label", "part") if self.columns.get(one)]
        return f", {'columns' if len(named) > 1 else 'column'} {_joined(named)}" if named else ""


_NUMBERS = ("no", "one", "two", "three")


def _joined(names: list[str] | tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

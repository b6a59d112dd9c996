"""The command line's `understand`: how a folder of one's own is read, and how a person wants it read instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from transfer.errors import RequestError
from transfer.pictures import own, uploads
from transfer.pictures.folders import listing
from transfer.pictures.layout.kept import keep, kept
from transfer.pictures.layout.typed import Corrections

Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout; everything else goes to stderr.")]


def understand(
    dataset: Annotated[str, typer.Argument(show_default=False, help="folder:/data/flowers or upload:flowers.")],
    root: Annotated[str | None, typer.Option(help="Sub-folder that holds the classes or the table.")] = None,
    way: Annotated[str | None, typer.Option(help="What gives the labels: folders or table.")] = None,
    classes: Annotated[str | None, typer.Option(help="Which folders are classes: folders or sub-folders.")] = None,
    part: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=PART", help="A folder's or table's part: train, validation, test or left out; repeatable."
        ),
    ] = [],  # noqa: B006  # typer copies it
    table: Annotated[str | None, typer.Option(help="The table that gives the labels.")] = None,
    file_column: Annotated[
        str | None, typer.Option(help="Its column of file names: a name, or a number from 1.")
    ] = None,
    label_column: Annotated[str | None, typer.Option(help="Its column of labels.")] = None,
    part_column: Annotated[str | None, typer.Option(help="Its column of parts.")] = None,
    afresh: Annotated[bool, typer.Option("--afresh", help="Forget what was said of this folder before.")] = False,
    json_: Json = False,
) -> None:
    """Say how a folder of your own is read, or correct it; what you say is kept for every run on it."""
    folder = folder_of(dataset)
    before = Corrections() if afresh else kept(folder)
    said: dict[str, Any] = {
        "root": root, "way": way, "classes": classes, "table": table, "file_column": file_column,
        "label_column": label_column, "part_column": part_column, "parts": before.parts | _pairs(part),
    }  # fmt: skip
    wanted = Corrections(**{**before.model_dump(), **{name: value for name, value in said.items() if value}})
    found = listing(folder, wanted)  # what cannot be read so is not kept
    keep(folder, wanted)
    own.afresh()
    if json_:
        record = {"dataset": dataset, "understood": list(found.said), "classes": list(found.classes),
                  "corrections": wanted.given, "left_out": [list(one) for one in found.left_out]}  # fmt: skip
        typer.echo(json.dumps(record))
        return
    for sentence in found.said:
        typer.echo(sentence)
    for name, why in found.left_out:
        typer.echo(f"left out: {own.printable(name)}: {why}")


def folder_of(key: str) -> Path:
    """The folder behind a data set's key.

    Raises:
        RequestError: it has none.
    """
    prefix, _, rest = key.partition(":")
    if prefix == "upload":
        return uploads.where(rest)
    if prefix != "folder" or not rest.strip():
        raise RequestError("Only folders and uploads are read so.", repr(key), "Write folder:/path or upload:name.")
    from transfer.datasets.folder import allowed

    return allowed(rest)


def _pairs(given: list[str]) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, part = one.rpartition("=")
        if not equals or not name:
            raise RequestError("--part needs a name and a part.", repr(one), "Write --part 2020=test.")
        found[name] = part
    return found

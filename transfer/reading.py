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
from transfer.received.printable import printable

Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout; everything else goes to stderr.")]


def understand(
    dataset: Annotated[
        str,
        typer.Argument(
            show_default=False,
            help="As folder:/data/flowers or texts:/data/reviews.csv.",
        ),
    ],
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
    if dataset.partition(":")[0] in ("texts", "own_texts"):
        given = (root, way, classes, part, table, file_column, label_column, part_column, afresh)
        _texts(dataset, any(given), json_)
        return
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
        typer.echo(f"left out: {printable(name)}: {why}")


def _texts(key: str, corrected: bool, json_: bool) -> None:
    """Says how texts are read; their columns are chosen in the key."""
    from transfer.datasets.own_texts import place_of
    from transfer.texts.own import looked

    if corrected:
        raise RequestError(
            "Texts are corrected by choosing columns.", key,
            "Write texts:/path/to/texts.csv?text=<column>&label=<column>&split=<column>; of uploads, on the Data page.",
        )  # fmt: skip
    found = looked(*place_of(key))
    if json_:
        record = {"dataset": key, "understood": list(found.said), "classes": list(found.classes),
                  "columns": list(found.columns), "left_out": [list(one) for one in found.left_out]}  # fmt: skip
        typer.echo(json.dumps(record))
        return
    for sentence in found.said:
        typer.echo(sentence)
    for where, why in found.left_out:
        typer.echo(f"left out: {printable(where)}: {why}")


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

"""The command line's questions about data: `look`, `distance`, and `answer`, which the lab asks for itself."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from transfer import catalog
from transfer.lab import data_questions

Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout; everything else goes to stderr.")]
Key = Annotated[str, typer.Argument(show_default=False, help="A data set's key: optdigits, folder:/data/flowers ...")]
Seed = Annotated[int, typer.Option(min=0, help="Of the split.")]


def look(dataset: Key, seed: Seed = 0, json_: Json = False) -> None:
    """Look at a data set: classes, the split, what was left out, what is there twice."""
    found = data_questions.find_out(data_questions.Question("look", (dataset,), {"seed": seed}), _progress)
    if json_:
        typer.echo(json.dumps(found))
        return
    if "shape" in found:
        height, width, channels = found["shape"]
        typer.echo(f"{found['key']}: {height} x {width} pixels, {'grey' if channels == 1 else 'colour'}")
    else:
        typer.echo(f"{found['key']}: {len(found['lengths']):,} texts, {found['vocabulary']:,} different words")
    for sentence in catalog.dataset(dataset).understood:
        typer.echo(sentence)
    typer.echo("class\ttrain\tvalidation\ttest")
    for row in zip(found["classes"], *found["counts"].values(), strict=True):
        typer.echo("\t".join(map(str, row)))
    counts = found["pair_counts"]
    typer.echo(f"alike: {counts['same']} equal pairs, {counts['near']} nearly, {counts['across']} of them across parts")
    for name, why in found.get("left_out", ()):
        typer.echo(f"left out: {name}: {why}")


def distance(
    first: Key,
    second: Key,
    backbone: Annotated[str, typer.Option(help="Whose features are compared.")] = "efficientnet_lite0",
    seed: Seed = 0,
    json_: Json = False,
) -> None:
    """How far apart two data sets are: proxy A-distance and MMD of a backbone's features."""
    catalog.backbone(backbone)
    asked = data_questions.Question("distance", (first, second), {"backbone": backbone, "seed": seed})
    found = data_questions.find_out(asked, _progress)
    if json_:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"proxy A-distance {found['a_distance']:.2f} of 2 (by chance up to {found['a_distance_chance']:.2f})")
    typer.echo(f"MMD squared {found['mmd']:.4f} (by chance up to {found['mmd_chance']:.4f})")


def answer(question: str) -> None:
    """Find out what a page asks; the lab starts this for itself."""
    data_questions.find_out(data_questions.Question.of(question))


def _progress(done: int, total: int) -> Any:
    if done == total:
        typer.echo(f"{total:,} pictures read", err=True)

"""The command line: ``python -m transfer``. Exit status: 0 finished, 1 the run failed, 2 the request was invalid."""

from __future__ import annotations

import functools
import inspect
import json
import types
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from transfer import catalog, data_commands, listing, possible, reading
from transfer.errors import ImpossibleExperiment, LabError, RequestError
from transfer.experiment import Experiment, apart
from transfer.lab import Lab, Run

app = typer.Typer(
    name="transfer",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Transfer Lab: see what transfer learning does.",
)
Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout; everything else goes to stderr.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run, as listed by `runs`.", show_default=False)]
INTERRUPTED = 130
PAIRS = ("options", "intake")  # given as name=value


class Kind(StrEnum):
    """The things `list` can list."""

    backbones = "backbones"
    datasets = "datasets"
    strategies = "strategies"


class Form(StrEnum):
    """The formats `export` can write."""

    keras = "keras"


def in_words(command: Callable[..., None]) -> Callable[..., None]:
    """A command that prints the lab's own errors as sentences; anything else is a bug and keeps its traceback."""

    @functools.wraps(command)
    def spoken(*args: Any, **values: Any) -> None:
        try:
            command(*args, **values)
        except LabError as problem:
            typer.echo(f"Error: {problem}", err=True)
            raise typer.Exit(2 if isinstance(problem, RequestError) else 1) from None

    return spoken


# Options of `run`, from the Experiment ------------------------------------------------------------


def experiment_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command an option for every field of `Experiment`, with the field's limits, default and help."""
    parameters = [_option(name, field) for name, field in Experiment.model_fields.items() if name not in PAIRS]
    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.kind != one.VAR_KEYWORD]
    command.__signature__ = inspect.Signature(parameters + own)  # type: ignore[attr-defined]  # read by inspect
    return command


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    extra = field.json_schema_extra
    unit = f" [{extra['unit']}]" if isinstance(extra, dict) and "unit" in extra else ""
    flag = "--" + name.replace("_", "-")
    either = f"{flag}/--no-{flag[2:]}" if field.annotation is bool else flag
    described = str(field.description).replace("Empty:", "Left out:")  # an option is left out, not empty
    option = typer.Option(either, help=f"{described}{unit}")
    for limit in field.metadata:
        option.min = getattr(limit, "ge", option.min)
        option.max = getattr(limit, "le", option.max)
    default, plain = (
        list(field.default) if isinstance(field.default, tuple) else field.default,
        _plain_type(field.annotation),
    )
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[plain, option])


def _plain_type(kind: Any) -> Any:
    """The type for typer: ``int | None`` converted, a tuple as a list given item by item, anything else unchanged."""
    if get_origin(kind) is tuple:
        return list[str]
    if get_origin(kind) in (Union, types.UnionType):
        return next(one for one in get_args(kind) if one is not type(None)) | None
    return kind


def _settings(pairs: list[str], flag: str = "--set") -> dict[str, Any]:
    """Options from ``name=value`` pairs; a value is JSON, or else text."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise RequestError(f"{flag} needs a name and a value.", repr(pair), f"Write {flag} option=value.")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            found[name.strip()] = value
    return found


# Commands ----------------------------------------------------------------------------------------


@app.command()
@in_words
@experiment_options
def run(
    *,
    set_: Annotated[
        list[str], typer.Option("--set", metavar="OPTION=VALUE", help="An option of the strategy; repeatable.")
    ] = [],  # noqa: B006  # typer copies it
    intake: Annotated[
        list[str],
        typer.Option(metavar="OPTION=VALUE", help="How samples enter the network: tokens=64, for texts; repeatable."),
    ] = [],  # noqa: B006  # typer copies it
    json_: Json = False,
    **fields: Any,
) -> None:
    """Run an experiment now, in this process, and record it."""
    if fields["labels_per_class"] is None and catalog.strategy(fields["strategy"]).unlabelled:
        fields["labels_per_class"] = 0
    if fields["without"]:
        known = catalog.dataset(fields["target"]).classes
        fields["without"] = [name for given in fields["without"] for name in apart(given, known)]
    experiment = Experiment(**fields, options=_settings(set_), intake=_settings(intake, "--intake"))
    from transfer.lab.checks import check

    try:
        check(experiment)
    except ImpossibleExperiment:
        changes = [possible.as_flags(change) for _, change in possible.nearest(experiment.model_dump())]
        typer.echo(f"Possible instead: {'; or '.join(changes)}.", err=True) if changes else None
        raise
    from transfer.lab.process import myself

    lab = Lab()
    lab.reconcile()
    _carry_out(lab, lab.submit(experiment, reserved=myself()), json_)


@app.command()
@in_words
def resume(run: RunId, json_: Json = False) -> None:
    """Resume a paused or interrupted run now, in this process."""
    from transfer.lab.process import myself

    lab = Lab()
    lab.reconcile()
    lab.resume(run, reserved=myself())
    _carry_out(lab, run, json_)


def _carry_out(lab: Lab, run: str, as_json: bool) -> None:
    from transfer.lab.checks import withdraw_if_impossible
    from transfer.lab.follow import Follower, verdict
    from transfer.lab.in_process import run_here

    with Follower(Console(stderr=as_json)) as follower:
        follower.say(f"run {run}")
        state = run_here(lab, run, follower, follower.say)
        found = lab.store.run(run)
        metrics = found.metrics if found else {}
        follower.say(verdict(metrics) or state)
    if found and found.state == "failed":
        # A data set that had to be downloaded first may have shown that the request is impossible.
        withdraw_if_impossible(lab, found)
    if found and found.error:
        typer.echo(f"Error: {found.error}", err=True)
    if state in ("paused", "interrupted"):
        typer.echo(f"The run is {state}. Resume it with: python -m transfer resume {run}", err=True)
    if as_json:
        typer.echo(json.dumps({"run": run, "state": state, "metrics": metrics}))
    raise typer.Exit({"finished": 0, "stopped": 0, "paused": INTERRUPTED, "interrupted": INTERRUPTED}.get(state, 1))


@app.command()
@in_words
def stop(run: RunId) -> None:
    """Stop a run early; its best epoch so far is tested and kept."""
    lab = Lab()
    lab.reconcile()
    lab.stop(run)
    typer.echo(f"Asked run {run} to stop.")


@app.command("list")
@in_words
def list_(kind: Annotated[Kind, typer.Argument(show_default=False)], json_: Json = False) -> None:
    """List the building blocks of an experiment."""
    found = listing.listed(kind.value)
    if json_:
        typer.echo(json.dumps(found))
        return
    rows: list[tuple[str, ...]] = [(one["key"], one["title"], one.get("summary") or one["sentence"]) for one in found]
    _print_table(("key", "title", "about"), rows)


@app.command()
@in_words
def runs(
    json_: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of runs.")] = 50,
) -> None:
    """List runs, newest first."""
    lab = Lab()
    lab.reconcile()
    found = lab.runs(limit)
    if json_:
        typer.echo(json.dumps([listing.run_record(one) for one in found]))
        return
    _print_table(("run", "state", "experiment", "test accuracy", "created"), [_row(one) for one in found])


@app.command()
@in_words
def show(run: RunId, json_: Json = False) -> None:
    """Show a run: its experiment, state, metrics and latest points."""
    lab = Lab()
    lab.reconcile()
    record = listing.run_record(lab.run(run))
    points = json.loads(lab.history(run).tail(10).to_json(orient="records"))
    if json_:
        typer.echo(json.dumps(record | {"points": points}))
        return
    for name, value in record.items():
        if isinstance(value, dict):
            typer.echo(f"{name}:")
            for key, one in value.items():
                typer.echo(f"  {key}: {_short(one)}")
        elif value not in (None, ""):
            typer.echo(f"{name}: {_short(value)}")
    typer.echo("last points:")
    for point in points:
        typer.echo("  " + ", ".join(f"{key} {_short(one)}" for key, one in point.items() if one is not None))


@app.command()
@in_words
def export(
    run: RunId,
    output: Annotated[Path, typer.Option(help="File to write, NAME.keras.", show_default=False)],
    format_: Annotated[
        Form, typer.Option("--format", help="keras: the trained network, for any Keras script.")
    ] = Form.keras,
) -> None:
    """Write a finished run's network to a file that works without the lab."""
    from transfer.export import keras_file

    Lab().run(run)
    typer.echo(f"Written: {keras_file.write(run, output)}")


@app.command(hidden=True)
@in_words
def worker(slot: Annotated[str | None, typer.Option(help="A slot of a device, for example cpu-0.")] = None) -> None:
    """Wait for queued runs and carry one out; the lab starts this by itself."""
    from transfer.lab.worker import work

    work(slot)


for _question in (data_commands.look, data_commands.distance, reading.understand):
    app.command()(in_words(_question))
app.command(hidden=True)(in_words(data_commands.answer))


@app.command(hidden=True)
@in_words
def answerer() -> None:
    """Answer the pages' questions about trained networks; the lab starts this by itself."""
    from transfer.lab.answerer import serve

    serve()


def _row(run: Run) -> tuple[str, ...]:
    asked = run.experiment
    route = f"{asked.source or 'own weights'} > {asked.target}, {asked.backbone}, {asked.strategy}"
    accuracy = run.metrics.get("test_accuracy")
    when = datetime.fromtimestamp(run.created).strftime("%Y-%m-%d %H:%M")
    return run.id, run.state, route, "" if accuracy is None else f"{accuracy:.4f}", when


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) and abs(value) < 1e6 else str(value)


def _print_table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Prints a table on a terminal, or tab-separated lines into a pipe, for other programs."""
    console = Console()
    if not console.is_terminal:
        for row in rows:
            typer.echo("\t".join(row))
        return
    table = Table(*titles)
    for row in rows:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    app(prog_name="python -m transfer")

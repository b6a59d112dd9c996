"""What a run is doing, its progress and the time left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from pages.parts.common import stages
from pages.parts.common.titles import title
from transfer import catalog
from transfer.insight import domains, sentences, terms, words

if TYPE_CHECKING:
    from pages.parts.common.run_log import Log
    from transfer.lab import Lab, Run

WISHES = {"pause": "pausing: writing a checkpoint", "stop": "stopping: keeping the best epoch", "discard": "discarding"}


class Status(TypedDict):
    """``doing`` in a few words, the ``rest`` of the line, and the ``share`` that is done, 0 to 1."""

    doing: str
    rest: str
    share: float


def status(run: Run, log: Log) -> Status:
    """The status of a live run; empty words for any other."""
    if run.state == "queued":
        return Status(doing="queued", rest="waiting for a worker", share=0.0)
    if run.state != "running":
        return Status(doing="", rest="", share=1.0)
    progress = run.progress or {}
    total, done = progress.get("total") or 0, progress.get("done") or 0
    parts: list[str] = []
    if total and not run.wish:
        parts += [words.percent(done / total), words.time_left(log.marks)]
        parts[-1] += _and_then(run, log) if parts[-1] else ""
    return Status(
        doing=WISHES.get(run.wish or "") or progress.get("text") or "starting",
        rest=" · ".join(part for part in parts if part),
        share=round(min(1.0, done / total), 3) if total else 0.0,
    )


def structure(run: Run, log: Log) -> list[Any]:
    """The structure a page is drawn for: the page is redrawn if and only if this changes."""
    beside = [len(log.phases), len(log.notes), len(log.baselines), bool(log.planes), "a_distance" in log.history]
    return [*outer(run), log.resumed, *beside, *terms.names(log.history)]


def outer(run: Run) -> list[Any]:
    """The beginning of `structure`: enough for a page that shows only the curve of a run."""
    return [run.state, run.wish, run.attempts]


def moved(run: Run, log: Log) -> dict[str, str]:
    """How far the stages have moved, in a sentence and as bars; for a tested run, at the tested epoch.

    Both are empty until a stage has moved.
    """
    tested = None if run.live else run.metrics.get("best_epoch")
    distances = log.moved(tested)
    if not any(distances.values()):
        return {"said": "", "html": ""}
    when = "So far, " if run.live else f"At epoch {tested:g}, " if tested is not None else ""
    return {"said": when + sentences.about_moved(distances), "html": stages.moved(distances)}


def meters(lab: Lab, run: Run) -> str:
    """The run's current use of the machine, in words; empty unless it trains here."""
    found = lab.meters(run) if run.state == "running" else {}
    parts = []
    if "gpu_percent" in found:
        parts.append(f"in use {found['gpu_percent']:.0f} %, {words.memory(found['gpu_memory_mb'])} of its memory")
    if "cpu_percent" in found:
        parts.append(f"this run: {found['cpu_percent'] / 100:.1f} cores, {words.memory(found['memory_mb'])}")
    return " · ".join(parts)


def plane(log: Log) -> dict[str, Any] | None:
    """Source and target after the newest epoch, as `transfer.insight.domains.embedding` draws them; None before one."""
    if not log.planes:
        return None
    newest = log.planes[max(log.planes)]
    places = [[domain[:, 0].tolist(), domain[:, 1].tolist()] for domain in (newest.source, newest.target)]
    return {"said": domains.said(newest), "places": places, "reach": domains.reach(list(log.planes.values()))}


def _and_then(run: Run, log: Log) -> str:
    return f", then {title(catalog.datasets(), run.experiment.target)}" if log.domain == "source" else ""

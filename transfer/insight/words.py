"""Figures in words: shares, durations, results. Needs no tables, so every page can import it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as a percentage, ``84.1 %``, with a non-breaking space."""
    return f"{100 * share:.{digits}f}\u00a0%"


def result(metrics: dict[str, Any]) -> str:
    """The test accuracy with its 95 % interval, in a line of Markdown; empty when nothing was tested."""
    if metrics.get("test_accuracy") is None:
        return ""
    low, high = 100 * metrics["test_low"], 100 * metrics["test_high"]
    return (
        f"Test accuracy **{percent(metrics['test_accuracy'], 1)}** (95\u00a0% interval {low:.1f} to {high:.1f}), "
        f"{metrics['test_count']:,} pictures, used only once, at the end"
    )


def counted(number: int, one: str, several: str = "") -> str:
    """A count with its noun: ``1 file``, ``1,200 files``; ``several`` is the plural where adding an s is not enough."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def duration(seconds: float) -> str:
    """A duration: ``8 s``, ``2 min 5 s``, ``1 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def memory(megabytes: float) -> str:
    """An amount of memory: ``512 MB``, ``1.5 GB``."""
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"


def time_left(marks: Sequence[tuple[float, int, int]]) -> str:
    """How long the present stage still takes at its pace so far, ``about 12 s left``; empty if that is unknown.

    Args:
        marks: (time in seconds, done, total) as the stage went on, oldest first. Only those with the
            same total as the last one count.
    """
    same: list[tuple[float, int]] = []
    for moment, done, total in reversed(marks):
        if total != marks[-1][2] or (same and done > same[-1][1]):
            break
        same.append((moment, done))
    if len(same) < 2 or not marks[-1][2]:
        return ""
    (now, done), (then, before) = same[0], same[-1]
    if done <= before or now <= then:
        return ""
    left = (marks[-1][2] - done) * (now - then) / (done - before)
    return f"about {duration(max(1.0, left))} left"

"""Errors in words: what is wrong, what was received, what to do.

The engine and the lab raise only these; the pages and the command line show them as they
are. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabError(Exception):
    """A message in three parts for the user.

    Args:
        wrong: what is wrong, one sentence.
        received: the value that was received, or None if there is none to show.
        remedy: what to do about it, one sentence.
    """

    def __init__(self, wrong: str, received: object = None, remedy: str = "") -> None:
        self.wrong, self.received, self.remedy = wrong, received, remedy
        parts = [wrong]
        if received is not None:
            parts.append(f"Received: {received}.")
        if remedy:
            parts.append(remedy)
        super().__init__(as_text(" ".join(parts)))


def as_text(name: str) -> str:
    """A name as text that can be stored, sent and printed: bytes of a file name that are not UTF-8 are escaped."""
    return name.encode("utf-8", "backslashreplace").decode()


class RequestError(LabError):
    """The request itself was invalid; nothing was started and nothing was written."""


class UnknownKey(RequestError):
    """A name that is not in the catalog; the nearest one is offered."""

    def __init__(self, kind: str, received: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(received, known, n=1, cutoff=0.4)
        # A name with a comma would read as two.
        shown = ", ".join(repr(one) if "," in one else one for one in known[:12]) + (", ..." if len(known) > 12 else "")
        remedy = f"Did you mean {near[0]!r}? " if near else ""
        self.nearest = near[0] if near else None
        super().__init__(f"There is no {kind} of that name.", repr(received), f"{remedy}Known: {shown}.")


class NewerCheckpoint(RequestError):
    """A newer version of the lab wrote the checkpoint; it is left unchanged for that version to resume from."""


class ImpossibleExperiment(RequestError):
    """Each choice exists, but they do not work together; the remedy names the nearest choice that does."""


class DataChanged(ImpossibleExperiment):
    """A run cannot resume because its pictures have changed since it began; it is left unchanged."""


class RunFailed(LabError):
    """The request was valid, but the run could not be carried out."""


class DownloadFailed(RunFailed):
    """Data or weights could not be downloaded; says where to put the file by hand."""


class OutOfMemory(RunFailed):
    """The device ran out of memory; says what to lower."""


class DiskFull(RunFailed):
    """Nothing more can be written; everything written before is intact."""


class Diverged(RunFailed):
    """The loss is no longer a number; says what to lower."""


class StoreUnreadable(LabError):
    """The record of runs cannot be read; says where it is and how to start afresh."""

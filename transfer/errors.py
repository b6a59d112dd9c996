"""What can go wrong, in words: what is wrong, what was received, what to do.

The engine and the lab raise only these; the page and the command line show them as they
are. Anything else that is raised is a bug and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabError(Exception):
    """A message of three parts for the person who asked.

    Args:
        wrong: what is wrong, one sentence.
        received: the value that was received, or None when there is none to show.
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
    """A name as text that can be stored, sent and printed: bytes of a file's name that are no UTF-8 are written out."""
    return name.encode("utf-8", "backslashreplace").decode()


class RequestError(LabError):
    """The request itself was wrong; nothing was started and nothing was written."""


class UnknownKey(RequestError):
    """A name that nothing in the catalog carries; the nearest one is offered."""

    def __init__(self, kind: str, received: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(received, known, n=1, cutoff=0.4)
        # A name that holds a comma would read as two.
        shown = ", ".join(repr(one) if "," in one else one for one in known[:12]) + (", ..." if len(known) > 12 else "")
        remedy = f"Did you mean {near[0]!r}? " if near else ""
        self.nearest = near[0] if near else None
        super().__init__(f"There is no {kind} of that name.", repr(received), f"{remedy}Known: {shown}.")


class NewerCheckpoint(RequestError):
    """A newer version of the lab wrote the checkpoint; it stays as it is, for that version to go on from."""


class ImpossibleExperiment(RequestError):
    """Each choice exists, but not together; the remedy names the nearest that does."""


class DataChanged(ImpossibleExperiment):
    """A run would go on, but its pictures are no longer those that it began with; it stays as it is."""


class RunFailed(LabError):
    """The request was right, but the run could not be carried out."""


class DownloadFailed(RunFailed):
    """Data or weights could not be fetched; says where the file may be put by hand."""


class OutOfMemory(RunFailed):
    """The device's memory did not suffice; says what to lower."""


class DiskFull(RunFailed):
    """Nothing more can be written; what was written before is whole."""


class Diverged(RunFailed):
    """The loss is no longer a number; says what to lower."""


class StoreUnreadable(LabError):
    """The record of runs cannot be read; says where it lies and how to start anew."""

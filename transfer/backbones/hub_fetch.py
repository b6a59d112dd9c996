"""What KerasHub's networks for pictures and for texts share: downloads told, what is damaged removed, and words."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transfer.errors import DownloadFailed
from transfer.fetching import FULL, tell

PREFIX = "hub"
OFFLINE = {"image": "efficientnet_lite0", "text": "word_average"}


@contextmanager
def fetching(what: str, preset: str, handle: str, megabytes: float, kind: str) -> Iterator[None]:
    """A context for a download of the library's: its progress is told, its failure said.

    Args:
        what: what is fetched ("The weights of").
        preset: its name.
        handle: the preset's address at Kaggle.
        megabytes: size of all of the preset.
        kind: of the samples it reads.

    Raises:
        DownloadFailed: it could not be fetched or read; damaged files are removed.
    """
    import requests

    try:
        with told(preset):
            yield
    except (OSError, ValueError, KeyError) as problem:
        if isinstance(problem, OSError) and problem.errno in FULL:
            raise
        if not isinstance(problem, requests.RequestException):
            shutil.rmtree(folder() / handle, ignore_errors=True)
        raise DownloadFailed(
            f"{what} {preset} ({megabytes:g} MB) could not be fetched or read.",
            first_line(problem), by_hand(preset, kind),
        ) from problem  # fmt: skip


@contextmanager
def told(preset: str) -> Iterator[None]:
    """A context in which the library's own progress bar reports the progress of a download to the run."""
    import kagglehub.clients
    from tqdm import tqdm

    class Bar(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            tell(f"downloading {preset}", int(self.n) >> 10, int(self.total or 0) >> 10)
            return shown

    kagglehub.clients.tqdm = Bar
    try:
        yield
    finally:
        kagglehub.clients.tqdm = tqdm


def folder() -> Path:
    """Where the library stores its downloads."""
    from kagglehub.config import get_cache_folder

    return Path(get_cache_folder()) / "models"


def by_hand(preset: str, kind: str = "image") -> str:
    """What to do without a connection."""
    return (
        f"Connect to the internet and try again: it resumes where it broke off. Or use {PREFIX}:{preset} on another "
        f"machine, and copy {folder()} from there. Works offline: {OFFLINE[kind]}."
    )


def first_line(problem: Exception) -> str:
    """What the library says, in one line."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:200]

"""Files of data sets that Keras does not know: fetched with a checksum, kept, and refused when they are torn."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from transfer import settings
from transfer.errors import DownloadFailed

SILENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Remote:
    """A file at its authors' place.

    Args:
        origin: its address.
        name: what it is kept as.
        digest: its MD5, as its publishers and users give it, or SHA-256.
        megabytes: its size.
    """

    origin: str
    name: str
    digest: str
    megabytes: float


def fetched(title: str, files: tuple[Remote, ...]) -> list[Path]:
    """Where the files lie, fetched if they are not here; a file that is torn or exchanged is fetched anew.

    Raises:
        DownloadFailed: one could not be fetched, or is not what its checksum says.
    """
    import keras

    folder = settings.cache("downloads")
    found = []
    for file in files:
        try:
            with _no_endless_wait():
                found.append(
                    Path(
                        keras.utils.get_file(
                            file.name, file.origin, file_hash=file.digest, cache_dir=str(folder), cache_subdir="files"
                        )
                    )
                )
        except Exception as problem:
            size = sum(one.megabytes for one in files)
            places = "; ".join(f"{one.origin} as {folder / 'files' / one.name}" for one in files)
            raise DownloadFailed(
                f"The data set {title} ({size:g} MB) could not be fetched.",
                str(problem) or type(problem).__name__,
                f"Try again with a network, or fetch by hand and keep {places}.",
            ) from problem
    return found


@contextmanager
def _no_endless_wait() -> Iterator[None]:
    """Gives up on a silent network; Keras sets no time limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

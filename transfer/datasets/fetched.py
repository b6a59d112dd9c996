"""Files of data sets that Keras does not know: fetched with a checksum, kept, and refused when they are torn."""

from __future__ import annotations

from pathlib import Path

from transfer import settings
from transfer.fetching import Remote, fetch


def fetched(title: str, files: tuple[Remote, ...]) -> list[Path]:
    """Where the files lie, fetched if they are not here; a file that is torn or exchanged is fetched anew.

    Raises:
        DownloadFailed: one could not be fetched, or is not what its checksum says.
    """
    folder = settings.cache("downloads") / "files"
    in_all = f", {sum(file.megabytes for file in files):g} MB in all" if len(files) > 1 else ""
    return [fetch(f"the data set {title}{in_all}", file, folder) for file in files]

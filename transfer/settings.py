"""Where the lab keeps its state and how it behaves: read from the environment on every call.

All state is in one folder, so that removing it removes everything.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import platformdirs

from transfer import ids
from transfer.errors import RequestError


def home() -> Path:
    """The folder of all state, ``TRANSFER_HOME`` or the user's data directory; created if missing."""
    folder = _home()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _home() -> Path:
    return Path(os.environ.get("TRANSFER_HOME") or platformdirs.user_data_dir("transfer-lab"))


def store_url() -> str:
    """SQLAlchemy URL of the store, ``TRANSFER_STORE`` or SQLite inside `home`."""
    return os.environ.get("TRANSFER_STORE") or f"sqlite:///{home() / 'lab.sqlite'}"


def cache(kind: str) -> Path:
    """A folder for what can be computed again (``data``, ``features``, ``sources``); created if missing."""
    folder = home() / "cache" / kind
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def runs_folder() -> Path:
    """The folder with one folder per run; not created here."""
    return home() / "runs"


def cached(kind: str, name: str) -> Path:
    """The path that a file in that cache would have; creates no folder, so that a lookup writes nothing."""
    return _home() / "cache" / kind / name


def run_folder(run: str) -> Path:
    """The folder of one run's files: checkpoint, best weights, predictions; not created here.

    Raises:
        RequestError: this cannot be the id of a run, or its folder is a link to files that may not be used.
    """
    folder, roots = runs_folder() / ids.checked("run", run), folder_roots()
    if roots and not any(folder.resolve().is_relative_to(one) for one in (home().resolve(), *roots)):
        raise RequestError(
            "The folder of this run is a link to files that may not be used.", run, "Move them into the lab's home."
        )
    return folder


def runs_per_device() -> int:
    """How many runs share a device, ``TRANSFER_RUNS_PER_DEVICE``, at least and by default 1."""
    return max(1, int(os.environ.get("TRANSFER_RUNS_PER_DEVICE", "1")))


def standby() -> bool:
    """Whether a process with TensorFlow imported waits for the next run, ``TRANSFER_STANDBY`` (1 or 0)."""
    return os.environ.get("TRANSFER_STANDBY", "1") != "0"


def estimates() -> bool:
    """Whether time and memory of an experiment are estimated beforehand, ``TRANSFER_ESTIMATES`` (1 or 0)."""
    return os.environ.get("TRANSFER_ESTIMATES", "1") != "0"


def most_viewers() -> int:
    """Live connections per address, ``TRANSFER_VIEWERS``, by default 400: behind a proxy, a class may share one."""
    return max(1, int(os.environ.get("TRANSFER_VIEWERS", "400")))


def picture_size() -> int:
    """Height and width in pixels at which the user's pictures are cached, ``TRANSFER_PICTURE_SIZE``, by default 224.

    One size for all networks, so that runs with different networks are tested on the same pictures.
    """
    return max(8, int(os.environ.get("TRANSFER_PICTURE_SIZE", "224")))


def most_pixels() -> int:
    """The largest number of pixels that is decoded, ``TRANSFER_MOST_MEGAPIXELS`` million, by default 64."""
    return int(float(os.environ.get("TRANSFER_MOST_MEGAPIXELS", "64")) * 1e6)


def pictures_bytes() -> int:
    """Disk space for decoded pictures, ``TRANSFER_PICTURES_GB``, by default 20; the least recently used are removed."""
    return int(float(os.environ.get("TRANSFER_PICTURES_GB", "20")) * 2**30)


def folder_roots() -> tuple[Path, ...]:
    """Folders whose pictures may be used, ``TRANSFER_FOLDERS`` (separated as in PATH); by default any."""
    given = os.environ.get("TRANSFER_FOLDERS", "")
    return tuple(Path(one).resolve() for one in given.split(os.pathsep) if one)


def upload_megabytes() -> int:
    """Largest size of an upload as sent, ``TRANSFER_UPLOAD_MB``, by default 500.

    Streamlit refuses anything above its own ``server.maxUploadSize``, which the lab's configuration sets to the same.
    """
    return int(os.environ.get("TRANSFER_UPLOAD_MB", "500"))


def unpacked_megabytes() -> int:
    """Largest size of an upload when unpacked, ``TRANSFER_UPLOAD_UNPACKED_MB``, by default 2000."""
    return int(os.environ.get("TRANSFER_UPLOAD_UNPACKED_MB", "2000"))


def upload_files() -> int:
    """Largest number of files in an upload, ``TRANSFER_UPLOAD_FILES``, by default 50,000."""
    return int(os.environ.get("TRANSFER_UPLOAD_FILES", "50000"))


def upload_ratio() -> int:
    """How many times larger an archive may get when unpacked, ``TRANSFER_UPLOAD_RATIO``, by default 100."""
    return int(os.environ.get("TRANSFER_UPLOAD_RATIO", "100"))


def answerer_seconds() -> float:
    """Seconds the answering process waits for the next question, ``TRANSFER_ANSWERER_SECONDS``, by default 900."""
    return float(os.environ.get("TRANSFER_ANSWERER_SECONDS", "900"))


def speed_file(backbone: str) -> Path:
    """The file for a backbone's measured speed."""
    return cache("speeds") / f"{hashlib.sha256(backbone.encode()).hexdigest()[:24]}.json"

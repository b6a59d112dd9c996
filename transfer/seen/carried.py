"""What a network was trained on, stored in its own file: also valid on other machines, and after the run is gone."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from transfer.errors import RequestError
from transfer.seen import contents, trained_on
from transfer.seen.origins import canonical
from transfer.seen.prints import Prints
from transfer.seen.trained_on import TrainedOn

MEMBER = "lessons.json"
MOST_BYTES = 2**28
_PARTS = ("train", "unlabelled")
_KINDS = ("pixels", "files")
_OWN = ("folder", "upload")
_LONGEST, _LARGEST = 1000, 2**63
# Everything that unpacking and parsing arbitrary bytes can raise.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, RecursionError),
    *(ValueError, TypeError, KeyError, AttributeError),
)


def packed(learned: tuple[TrainedOn, ...]) -> str:
    """What a network was trained on, as text, with the fingerprints of their pictures but without paths and file names.

    Args:
        learned: everything the network was trained on.
    """
    return json.dumps([_record(one) for one in learned])


def carried(path: Path, digest: str) -> tuple[TrainedOn, ...]:
    """What a network was trained on, from its file; empty if it has no record, like a file that this lab did not write.

    A file that Keras has saved again (`load_model(...).save(...)`) no longer has it.

    Args:
        path: path of the file.
        digest: digest of its content; the answer is cached under it.

    Raises:
        RequestError: the record is damaged, so it is unknown which pictures the network has seen.
    """
    found = _read(path, digest)
    if found is None:
        raise RequestError(
            "The list of pictures that this network has seen is damaged.",
            f"{path}, {MEMBER}",
            "Export the network again. Without the list it could be tested on pictures it was trained on.",
        )
    return found


@lru_cache(maxsize=64)
def _read(path: Path, digest: str) -> tuple[TrainedOn, ...] | None:
    del digest  # only serves as part of the cache's key
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        # An .h5 file is no archive; if an archive cannot be read, Keras' own message says more.
        return ()
    with file:
        if MEMBER not in file.namelist():
            return ()
        try:
            if file.getinfo(MEMBER).file_size > MOST_BYTES:
                return None
            records = json.loads(file.read(MEMBER))
            return tuple(_lesson(one) for one in records) if isinstance(records, list) else None
        except _DAMAGED:
            return None


def _record(training: TrainedOn) -> dict[str, Any]:
    known = training.known or {}
    record = replace(training, **_elsewhere(training)).record()
    return record | {"pictures": {part: _text(known[part]) for part in _PARTS if part in known}}


def _elsewhere(training: TrainedOn) -> dict[str, Any]:
    """Name and key of a user's pictures, without their path."""
    kind, _, rest = training.data.partition(":")
    if kind not in _OWN:
        return {}
    place = hashlib.sha256((training.name or canonical(training.data)).encode("utf-8", "surrogateescape")).hexdigest()[
        :16
    ]
    called = Path(rest.partition("~")[0]).name
    return {"data": f"{called} (a {kind} elsewhere)", "name": f"elsewhere:{place}", "drawn_from": ()}


def _text(prints: Prints) -> dict[str, str]:
    return {kind: base64.b64encode(getattr(prints, kind).astype("<u8").tobytes()).decode() for kind in _KINDS}


def _prints(text: dict[str, str]) -> Prints:
    pixels, files = (np.frombuffer(base64.b64decode(text[kind], validate=True), "<u8") for kind in _KINDS)
    if len(pixels) != len(files):
        raise ValueError("fewer or more file fingerprints than pictures")
    return Prints(pixels.astype("uint64"), files.astype("uint64"))


def _lesson(record: dict[str, Any]) -> TrainedOn:
    if not isinstance(record.get("drawn_from", []), list):
        raise ValueError("collections that are not a list")
    made = trained_on.of_record(record)
    words = (made.data, made.split, made.name, made.run, *made.drawn_from)
    if not all(isinstance(one, str) and len(one) <= _LONGEST and one.isprintable() for one in words):
        raise ValueError("names of the wrong type")
    if not _counts(made.seed) or not (made.labels is None or _counts(made.labels)):
        raise ValueError("numbers of the wrong type")
    if not made.data or not made.run or not isinstance(made.unlabelled, bool):
        raise ValueError("a training without data, or without a run")
    if made.data.partition(":")[0] in _OWN:
        raise ValueError("a path, which a file must not contain: it would be opened")
    pictures = record.get("pictures", {})
    if not pictures:
        return replace(made, split="")
    place = hashlib.sha256(json.dumps(pictures, sort_keys=True).encode()).hexdigest()[:32]
    # A separate name: the lab's own record of a split contains more, and must not be confused with this one.
    return replace(made, split=f"carried-{place}", parts={part: _prints(pictures[part]) for part in _PARTS})


def _counts(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 0 <= given < _LARGEST


def keep(learned: Iterable[TrainedOn]) -> None:
    """Stores the pictures that came with a file, for the runs that start from its network and for their descendants."""
    for training in learned:
        if training.split.startswith("carried-") and training.parts is not None:
            nothing = Prints(np.zeros(0, "uint64"), np.zeros(0, "uint64"))
            contents.save(training.split, dict.fromkeys(contents.PARTS, nothing) | training.parts)

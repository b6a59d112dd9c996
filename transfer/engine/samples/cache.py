"""A data set as published, loaded once and kept on disk."""

from __future__ import annotations

import errno
import hashlib
import io
from pathlib import Path

import numpy as np

from transfer import settings, whole_file
from transfer.datasets import Dataset, Published, Samples

_DIGEST_LENGTH = 64
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def load(dataset: Dataset) -> Published:
    """The data set as published, from the disk cache after its first load.

    Raises:
        DownloadFailed: it is not here yet and could not be fetched.
    """
    return load_with_fingerprint(dataset)[0]


def load_with_fingerprint(dataset: Dataset) -> tuple[Published, str]:
    """The data set as published with its `fingerprint`."""
    if dataset.kept:
        published = dataset.load()
        return published, fingerprint(published)
    path = _cache_path(dataset)
    cached = _read(path)
    if cached is None:
        published = dataset.load()
        cached = published, fingerprint(published)
        if isinstance(published.train.inputs, np.ndarray):  # texts are no array of numbers
            _write(path, *cached)
    return cached


def fingerprint(published: Published) -> str:
    """SHA-256 of all pixels and labels, 64 hexadecimal digits; differs when one pixel differs."""
    digest = hashlib.sha256()
    for array in _arrays(published).values():
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        on_disk = getattr(array, "identity", None)  # pictures on disk know theirs without being read again
        digest.update(on_disk.encode() if on_disk else np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays(published: Published) -> dict[str, np.ndarray]:
    arrays = {"train_inputs": published.train.inputs, "train_labels": published.train.labels}
    if published.test is not None:
        arrays |= {"test_inputs": published.test.inputs, "test_labels": published.test.labels}
    if published.validation is not None:
        arrays |= {"validation_inputs": published.validation.inputs, "validation_labels": published.validation.labels}
    return arrays


def _cache_path(dataset: Dataset) -> Path:
    """One file for each data set and version of it.

    When a newer version of the lab cuts or scales a data set in another way, its old pixels are
    not taken for the new ones.
    """
    return settings.cache("data") / f"{dataset.key}-{dataset.version}.cache"


def _read(path: Path) -> tuple[Published, str] | None:
    """What `_write` wrote, or None when it is missing or no longer what was written."""
    try:
        content = memoryview(path.read_bytes())
    except FileNotFoundError:
        return None
    # Checked before it is parsed: a flipped bit must not become a pixel or a parser's error.
    if hashlib.sha256(content[_DIGEST_LENGTH:]).hexdigest().encode() != content[:_DIGEST_LENGTH]:
        return None
    with np.load(io.BytesIO(content[_DIGEST_LENGTH:]), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    parts = [
        Samples(arrays[f"{name}_inputs"], arrays[f"{name}_labels"]) if f"{name}_inputs" in arrays else None
        for name in ("train", "test", "validation")
    ]
    assert parts[0] is not None
    return Published(parts[0], parts[1], parts[2]), str(arrays["fingerprint"])


def _write(path: Path, published: Published, digest: str) -> None:
    """Keeps the data set: the SHA-256 of what follows, then an uncompressed .npz.

    Written beside the place and moved there, so that a process that dies leaves no half file.
    Goes without a cache when the disk is full: it only saves time.
    """
    buffer = io.BytesIO()
    # The stubs take the arrays' names for savez' own arguments.
    np.savez(buffer, fingerprint=np.array(digest), **_arrays(published))  # type: ignore[arg-type]  # numpy: no pickle flag
    content = buffer.getbuffer()
    try:
        with whole_file.aside(path) as beside, beside.open("xb") as file:
            file.write(hashlib.sha256(content).hexdigest().encode())
            file.write(content)
    except OSError as problem:
        if problem.errno not in _NO_ROOM:
            raise

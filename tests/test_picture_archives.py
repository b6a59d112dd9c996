"""Photographs by download: unpacked from archives as they are published, and in words when there is no network."""

from __future__ import annotations

import hashlib
import tarfile
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from tests.pictures import content
from transfer import catalog
from transfer.datasets import picture_archives
from transfer.datasets.picture_archives import _Archive
from transfer.engine.samples import splits
from transfer.errors import DownloadFailed
from transfer.fetching import Remote


def published(place: Path, folder: str, classes: tuple[str, ...], ending: str) -> Path:
    """An archive laid out as its authors': a folder a class, and a file beside them."""
    path = place / f"archive{ending}"
    files = {
        f"{folder}/{name}/{number}.jpg": content((40 * place, 90, 200 - 40 * place), number, "JPEG")
        for place, name in enumerate(classes[:5])
        for number in range(4)
    } | {
        f"{folder}/{name}/{number}.jpg": content((9, 9, 9), number, "JPEG")
        for name in classes[5:]
        for number in range(3)
    }
    files |= {f"{folder}/LICENSE.txt": b"a licence", f"{folder}/{classes[0]}/666.jpg": b""}
    if ending == ".tgz":
        with tarfile.open(path, "w:gz") as made:
            for name, body in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(body)
                made.addfile(entry, BytesIO(body))
    else:
        with zipfile.ZipFile(path, "w") as packed:
            for name, body in files.items():
                packed.writestr(name, body)
    return path


@pytest.mark.parametrize(
    ("key", "folder", "ending"),
    [("tf_flowers", "flower_photos", ".tgz"), ("cats_vs_dogs", "PetImages", ".zip"), ("eurosat", "2750", ".zip")],
)
def test_an_archive_is_read_as_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, folder: str, ending: str
) -> None:
    known = catalog.dataset(key)
    assert known.download_mb > 90
    path = published(tmp_path, folder, known.classes, ending)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    archive = _Archive(key, Remote(path.as_uri(), f"small{ending}", digest, 0.1), folder)
    found = replace(known, load=archive.load)
    split = splits.split(found, 0)
    assert set(split.train.labels) == set(range(len(known.classes)))
    monkeypatch.setattr(picture_archives, "fetched", lambda *_: pytest.fail("fetched again"))
    assert splits.split(found, 0).fingerprint == split.fingerprint


def test_without_a_network_it_says_the_size_and_where_to_keep_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    import urllib.request

    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr("transfer.fetching.TRIES", 1)
    with pytest.raises(DownloadFailed, match=r"tf_flowers \(228.8 MB\).*by hand"):
        catalog.dataset("tf_flowers").load()

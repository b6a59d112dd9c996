"""Digits by download: read as published, from files that a small local server gives; no network is needed."""

from __future__ import annotations

import bz2
import hashlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from transfer import settings
from transfer.datasets import Published, Samples, fetched, mnist_m, svhn, usps
from transfer.errors import DownloadFailed
from transfer.fetching import Remote


def remote(served: tuple[Path, str], name: str, content: bytes, digest: str = "") -> Remote:
    """A file on the server."""
    (served[0] / name).write_bytes(content)
    return Remote(served[1] + name, name, digest or hashlib.md5(content).hexdigest(), 1.0)


def usps_lines(labels: list[int]) -> bytes:
    """As LIBSVM writes it: the first pixel white, the last black, those between left out."""
    return bz2.compress("".join(f"{label} 1:-1 256:1\n" for label in labels).encode())


def test_usps_is_read_as_published(served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    files = remote(served, "usps.bz2", usps_lines([7, 1])), remote(served, "usps.t.bz2", usps_lines([10]))
    monkeypatch.setattr(usps, "FILES", files)
    published = usps.load()
    assert published.train.labels.tolist() == [6, 0]
    assert published.test is not None and published.test.labels.tolist() == [9]
    assert published.train.inputs.shape == (2, 16, 16, 1)
    assert published.train.inputs[0, 0, 0, 0] == 0
    assert published.train.inputs[0, -1, -1, 0] == 255


def test_svhn_is_read_as_published(served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (32, 32, 3, 4)).astype("uint8")
    savemat(tmp_path / "x.mat", {"X": pictures, "y": np.array([[1], [10], [9], [2]])})
    content = (tmp_path / "x.mat").read_bytes()
    monkeypatch.setattr(svhn, "FILES", (remote(served, "a.mat", content), remote(served, "b.mat", content)))
    published = svhn.load()
    assert published.train.labels.tolist() == [1, 0, 9, 2]
    np.testing.assert_array_equal(published.train.inputs[2], pictures[..., 2])


def test_mnist_m_is_mnist_on_photographs(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = Samples(np.zeros((3, 28, 28, 1), "uint8"), np.array([1, 2, 3]))
    monkeypatch.setattr(mnist_m, "_MNIST", type("Known", (), {}))
    known = next(one for one in mnist_m.DATASETS if one.key == "mnist")
    monkeypatch.setattr(mnist_m, "_MNIST", mnist_m.replace(known, load=lambda: Published(digits, digits)))
    published = mnist_m.load()
    assert published.train.inputs.shape == (3, 28, 28, 3)
    assert published.train.inputs.std() > 10
    assert published.train.labels.tolist() == [1, 2, 3]


def test_a_file_that_is_not_what_its_checksum_says_is_refused(served: tuple[Path, str]) -> None:
    bad = remote(served, "bad.bin", b"something else", "0" * 32)
    with pytest.raises(DownloadFailed, match="checksum is not 0000.*by hand and keep"):
        fetched.fetched("Bad", (bad,))


def test_a_torn_file_is_fetched_anew(served: tuple[Path, str]) -> None:
    file = remote(served, "whole.bin", b"0123456789")
    torn = settings.cache("downloads") / "files" / "whole.bin"
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.write_bytes(b"01234")
    (path,) = fetched.fetched("Whole", (file,))
    assert path.read_bytes() == b"0123456789"


def test_offline_says_what_how_large_and_where_to_put_it() -> None:
    gone = Remote("http://localhost:9/none", "none.bin", "0" * 32, 3.5)
    with pytest.raises(DownloadFailed, match=r"3\.5 MB") as raised:
        fetched.fetched("Gone", (gone,))
    assert "none.bin" in str(raised.value)


def test_a_file_put_by_hand_is_taken(served: tuple[Path, str]) -> None:
    file = remote(served, "mine.bin", b"mine")
    (served[0] / "mine.bin").unlink()
    place = settings.cache("downloads") / "files" / "mine.bin"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"mine")
    assert fetched.fetched("Mine", (file,)) == [place]

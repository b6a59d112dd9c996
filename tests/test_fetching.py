"""Downloads from a small local server that can break off: progress, resuming, checksums, and nothing torn in use."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from transfer import fetching
from transfer.backbones import keras_applications
from transfer.errors import DownloadFailed
from transfer.fetching import Remote, fetch, telling

CONTENT = bytes(range(256)) * 4000  # four pieces
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Place:
    """A server of one file.

    Args:
        content: what it gives.
        most: bytes after which it ends the connection, an answer each; then it gives all.
        asked: the ranges it was asked for.
    """

    address: str = ""
    content: bytes = CONTENT
    most: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def place() -> Iterator[Place]:
    kept = Place()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            kept.asked.append(asked)
            begin = int(asked.removeprefix("bytes=").rstrip("-") or 0)
            if begin and begin >= len(kept.content):
                self.send_error(416)
                return
            rest = kept.content[begin:]
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: kept.most.pop(0)] if kept.most else rest)

        def log_message(self, *given: object) -> None:
            """Says nothing."""

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    kept.address = f"http://localhost:{server.server_port}/net.h5"
    yield kept
    server.shutdown()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where files are kept."""
    made = tmp_path / "nets"
    made.mkdir()
    return made


@pytest.fixture
def file(place: Place) -> Remote:
    return Remote(place.address, "net.h5", DIGEST, 1.0)


def files(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_it_tells_its_progress_and_leaves_only_the_whole_file(place: Place, file: Remote, folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    with telling(lambda *one: told.append(one)):
        path = fetch("the weights of Net", file, folder)
        fetch("the weights of Net", file, folder)
    assert path.read_bytes() == CONTENT
    assert place.asked == [""], "the second time it is here"
    assert files(path.parent) == ["net.h5"]
    assert told[0][0] == "downloading the weights of Net (1 MB)"
    assert [one[2] for one in told] == [1000] * len(told)
    assert told[-1][1] == 1000 and told == sorted(told)


def test_a_connection_that_ends_early_is_taken_up_where_it_ended(place: Place, file: Remote, folder: Path) -> None:
    place.most = [300_000, 300_000]
    assert fetch("it", file, folder).read_bytes() == CONTENT
    assert place.asked == ["", "bytes=300000-", "bytes=600000-"]


def test_what_arrived_is_never_used_before_it_is_whole_and_kept_for_the_next_attempt(
    place: Place, file: Remote, folder: Path
) -> None:
    place.most = [300_000, 0]
    with pytest.raises(DownloadFailed, match="ended after 300000 of 1024000 bytes") as failed:
        fetch("it", file, folder)
    assert str(folder / "net.h5") in str(failed.value) and "1 MB" in str(failed.value)
    assert files(folder) == ["net.h5.part"]
    assert fetch("it", file, folder).read_bytes() == CONTENT
    assert place.asked[-1] == "bytes=300000-"


def test_a_person_may_break_it_off_and_go_on_later(place: Place, file: Remote, folder: Path) -> None:
    class Enough(Exception):
        pass

    def stop(title: str, done: int, total: int) -> None:
        raise Enough

    with pytest.raises(Enough), telling(stop):
        fetch("it", file, folder)
    assert files(folder) == ["net.h5.part"]
    assert fetch("it", file, folder).read_bytes() == CONTENT
    assert place.asked[-1] == f"bytes={fetching.CHUNK}-"


def test_a_beginning_of_another_file_is_thrown_away(place: Place, file: Remote, folder: Path) -> None:
    for beginning in (b"other" * 10, b"o" * len(CONTENT), b"o" * (len(CONTENT) + 9)):
        (folder / "net.h5.part").write_bytes(beginning)
        assert fetch("it", file, folder).read_bytes() == CONTENT
        (folder / "net.h5").unlink()


def test_a_whole_part_is_taken_without_another_byte(place: Place, file: Remote, folder: Path) -> None:
    (folder / "net.h5.part").write_bytes(CONTENT)
    assert fetch("it", file, folder).read_bytes() == CONTENT
    assert place.asked == ["bytes=1024000-"]


def test_an_exchanged_file_is_refused_and_nothing_of_it_is_left(place: Place, file: Remote, folder: Path) -> None:
    place.content = b"something else" * 1000
    with pytest.raises(DownloadFailed, match="checksum is not") as failed:
        fetch("the weights", file, folder)
    assert str(failed.value).startswith("The weights (1 MB)")
    assert files(folder) == []


def test_weights_of_a_network_come_by_this_way(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real file of Keras' kind, broken off once, then read into the stages."""
    from keras.src.backend import config

    from tests.test_backbones import BY_KEY, NETS, write_h5

    monkeypatch.setattr(config, "_KERAS_DIR", str(tmp_path))
    family, net = NETS["mobilenet_v3_small"]
    original = keras_applications._whole(family, net, 224)
    write_h5(original, tmp_path / "made.h5")
    place.content = (tmp_path / "made.h5").read_bytes()
    place.most = [2_000_000]
    remote = Remote(place.address, f"{net.file}{family.ending}", hashlib.md5(place.content).hexdigest(), 4)
    monkeypatch.setattr(keras_applications, "_remote", lambda *_: remote)
    # Keras checks the published file's hash as well, which this one cannot have.
    monkeypatch.setattr("keras.src.utils.file_utils.validate_file", lambda *_, **__: True)
    backbone, told = BY_KEY["mobilenet_v3_small"], []
    stages = backbone.build(32)
    with telling(lambda *one: told.append(one)):
        backbone.pretrained.load(stages)
    assert place.asked == ["", "bytes=2000000-"]
    assert told[-1][0] == "downloading the ImageNet weights of MobileNetV3Small (4 MB)"
    loaded = [weight for stage in stages for weight in stage.get_weights()]
    assert all((one == other.numpy()).all() for one, other in zip(loaded, original.weights, strict=True))

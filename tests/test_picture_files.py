"""What lies in a folder of pictures and is no plain file, or has an unusual name: named and left out, or read."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.pictures import COLOURS, content, folder
from transfer import catalog
from transfer.__main__ import app
from transfer.errors import RequestError
from transfer.pictures import own
from transfer.pictures.folders import listing
from transfer.pictures.formats import unfit
from transfer.received import files


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of two classes, beside the lab's own."""
    return folder(tmp_path / "place", 4)


def _socket(path: Path) -> None:
    # A socket's path may have about 100 bytes; a test's folder is longer.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _round(path: Path) -> None:
    path.symlink_to(path)


ODD: dict[str, tuple[Callable[[Path], object], str]] = {
    "link to nothing": (lambda path: path.symlink_to("/nowhere/gone.jpg"), "a link to a missing file"),
    "link to itself": (_round, "cannot be read: Too many levels of symbolic links"),
    "pipe": (os.mkfifo, "a named pipe, not a file"),
    "socket": (_socket, "a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device, not a file"),
    "terminal": (lambda path: path.symlink_to("/dev/tty"), "a device, not a file"),
}


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_is_named_and_left_out(place: Path, odd: str) -> None:
    make, why = ODD[odd]
    make(place / "red" / "zz.jpg")
    found = listing(place)
    assert len(found.files) == 12
    assert found.left_out == (("red/zz.jpg", why),)
    with pytest.raises(files.Unreadable, match=why):
        files.content(place / "red" / "zz.jpg", 100)


def test_a_folder_named_like_a_picture_is_looked_into(place: Path) -> None:
    (place / "red" / "album.jpg").mkdir()
    (place / "red" / "album.jpg" / "one.png").write_bytes(content(COLOURS["red"], 77))
    assert "red/album.jpg/one.png" in [one.name for one in listing(place).files]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_what_may_not_be_read_is_named(place: Path) -> None:
    (place / "red" / "000.png").chmod(0)
    (place / "red" / "closed").mkdir(mode=0)
    found = own.looked(place)
    assert ("red/000.png", "cannot be read: Permission denied") in found.left_out
    assert ("red/closed", "this folder cannot be read: Permission denied") in found.left_out
    place.chmod(0)
    with pytest.raises(RequestError, match="cannot be read"):
        listing(place)
    place.chmod(0o755)


def test_a_drive_that_fails_while_it_is_read_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files.os, "open", fails)
    with pytest.raises(files.Unreadable, match="cannot be read: Input/output error"):
        files.content(place / "red" / "000.png", 10**6)


def test_a_file_that_a_table_names_may_be_odd_too(tmp_path: Path) -> None:
    root = tmp_path / "table"
    root.mkdir()
    lines = ["file,label"]
    for index in range(8):
        (root / f"{index}.png").write_bytes(content(COLOURS["red"], index))
        lines.append(f"{index}.png,{'ab'[index % 2]}")
    os.mkfifo(root / "pipe.png")
    (root / "gone.png").symlink_to("nowhere")
    (root / "folder.png").mkdir()
    (root / "labels.csv").write_text("\n".join([*lines, "pipe.png,a", "gone.png,b", "folder.png,a"]))
    found = listing(root)
    assert len(found.files) == 8
    assert {name for name, _ in found.left_out} == {"pipe.png", "gone.png", "folder.png"}


def test_a_folder_that_cannot_be_listed_is_refused_in_words(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(path: Path) -> None:
        raise OSError(112, "Host is down", str(path))

    monkeypatch.setattr(os, "scandir", lost)
    with pytest.raises(RequestError, match="The folder cannot be read.*Host is down"):
        listing(place)


def test_a_file_that_vanishes_or_grows_after_it_was_listed(place: Path) -> None:
    gone = place / "red" / "000.png"
    listed = listing(place)
    gone.unlink()
    with pytest.raises(files.Unreadable, match="no longer exists"):
        files.content(listed.root / "red/000.png", 100)
    with pytest.raises(files.Unreadable, match="more than the"):
        files.content(place / "red" / "001.png", 100)


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "A.JPG", "a.jfif", "a.jpe", "a.HEIC", "a.avif", "a.Tif", "photo", "scan.0001", "a.jpg_large", "a.jpg~",
     "a.jpeg?w=600", "a.b.png", "café.PNG", "a.pgm", "a.", "...x.png"],
)  # fmt: skip
def test_names_whose_content_decides(name: str) -> None:
    assert unfit(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [("a.svg", "may run code"), ("a.HTML", "may run code"), ("a.xml?x", "may run code"),
     ("a.txt", "not a picture"), ("a.jpg.txt", "not a picture"), ("a.mp4", "not a picture"),
     ("a.zip", "not a picture")],
)  # fmt: skip
def test_names_that_are_no_pictures(name: str, why: str) -> None:
    assert why in unfit(name)


def _in_latin_1(place: Path) -> None:
    for one in place.iterdir():
        for file in one.iterdir():
            os.rename(file, os.fsencode(one) + b"/\xe9" + os.fsencode(file.name))
    os.rename(place / "red", os.fsencode(place) + b"/caf\xe9")
    (place / "blue" / "no\udce9.png").write_bytes(b"damaged")


def test_names_that_are_not_utf_8_are_read_and_shown(place: Path) -> None:
    from transfer.engine.inspect.dataset_facts import look
    from transfer.engine.samples import splits

    _in_latin_1(place)
    dataset = catalog.dataset(f"folder:{place}")
    assert dataset.classes == ("blue", "café", "green")
    assert dataset.count == 12
    shown = [
        dataset.warning,
        dataset.title,
        dataset.summary,
        json.dumps(look(dataset, 0, place.parent / "out"), ensure_ascii=False),
    ]
    assert "no?.png" in "".join(shown).encode().decode()
    assert len(splits.split(dataset, 0).train) == 6


def test_a_path_that_is_not_utf_8_is_refused_and_a_link_to_it_works(place: Path, tmp_path: Path) -> None:
    os.rename(place, os.fsencode(tmp_path) + b"/caf\xe9")
    given = f"folder:{tmp_path}/caf\udce9"
    with pytest.raises(RequestError, match="is not UTF-8") as problem:
        catalog.dataset(given)
    str(problem.value).encode()
    said = CliRunner().invoke(app, ["look", given])
    assert said.exit_code == 2
    with pytest.raises(RequestError, match="is not UTF-8"):
        catalog.dataset("folder:/a\0b")
    (tmp_path / "link").symlink_to(tmp_path / "caf\udce9")
    found = catalog.dataset(f"folder:{tmp_path}/link")
    (found.title + found.reference + found.summary).encode()
    (tmp_path / "caf\udce9" / "red").rename(tmp_path / "caf\udce9" / "blue" / "red")
    with pytest.raises(RequestError) as problem:
        listing(tmp_path / "caf\udce9" / "green")
    str(problem.value).encode()

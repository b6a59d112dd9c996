"""Uploads: what is taken in, and what is refused or made harmless with nothing left behind."""

from __future__ import annotations

import stat
import struct
import threading
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest

from tests.pictures import COLOURS, content
from transfer import catalog
from transfer.errors import RequestError, UnknownKey
from transfer.pictures import uploads


def good(each: int = 3) -> dict[str, bytes]:
    return {
        f"flowers/{name}/{place}.png": content(colour, 100 * number + place, width=24, height=24)
        for number, (name, colour) in enumerate(COLOURS.items())
        for place in range(each)
    }


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> BytesIO:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return buffer


def huge_png(side: int = 100_000) -> bytes:
    """The header of a picture of side x side pixels, and nearly nothing after it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")


def refused(match: str, files: BytesIO | dict[str, bytes]) -> None:
    """It is, in words, and nothing is left behind."""
    with pytest.raises(RequestError, match=match):
        uploads.take_archive("bad", archive(files) if isinstance(files, dict) else files)
    assert not list(uploads.place().iterdir())
    assert not list(uploads.place().parent.glob("*.png"))


def test_an_archive_becomes_a_data_set_and_can_be_removed() -> None:
    received = uploads.take_archive("flowers", archive(good()))
    assert (received.pictures, received.left_out) == (9, [])
    found = catalog.dataset("upload:flowers")
    assert (found.classes, found.count) == (("blue", "green", "red"), 9)
    assert [one.key for one in catalog.own_datasets()] == ["upload:flowers"]
    assert uploads.suggested("Flowers.zip") == "flowers_2"
    uploads.remove("flowers")
    uploads.take_archive("flowers", archive(good(5)))
    assert catalog.dataset("upload:flowers").count == 15
    uploads.remove("flowers")
    assert not list(uploads.place().iterdir())
    with pytest.raises(UnknownKey):
        catalog.dataset("upload:flowers")
    with pytest.raises(UnknownKey):
        catalog.dataset("upload:../uploads")


def test_files_and_a_table_become_one_too() -> None:
    files = {f"{name}{place}.png": content(colour, place) for name, colour in COLOURS.items() for place in range(3)}
    lines = ["file,label", *(f"{name},{name[:-5]}" for name in files)]
    files["labels.csv"] = "\n".join(lines).encode()
    received = uploads.take_files("table", [(name, BytesIO(data)) for name, data in files.items()])
    assert received.pictures == 9
    assert catalog.dataset("upload:table").classes == ("blue", "green", "red")


@pytest.mark.parametrize(
    ("name", "why"),
    [("../evil.png", "points outside"), ("/tmp/evil.png", "points outside"), ("red/b\x07.png", "invisible characters"),
     ("FLOWERS/red/0.PNG", "same name")],
)  # fmt: skip
def test_files_are_named_as_strictly_as_an_archives(name: str, why: str) -> None:
    files = good() | {name: content((0, 0, 0), 0)}
    with pytest.raises(RequestError, match=why):
        uploads.take_files("bad", [(one, BytesIO(data)) for one, data in files.items()])
    assert not list(uploads.place().iterdir())


@pytest.mark.parametrize(
    "name",
    ["../../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\..\\evil.png", "C:\\evil.png", "C:/evil.png"],
)
def test_a_name_that_leads_out_is_refused(name: str) -> None:
    refused("points outside", good() | {name: content((0, 0, 0), 0)})


@pytest.mark.parametrize("name", ["a/b\x07.png", "a/\u202egnp.exe.png", "a/b\n.png", "a/\x7f.png"])
def test_a_name_that_does_not_show_is_refused(name: str) -> None:
    refused("invisible characters", good() | {name: content((0, 0, 0), 0)})


def test_a_name_that_is_too_long_or_there_twice_is_refused() -> None:
    refused("too long", good() | {f"red/{'a' * 300}.png": b""})
    refused("same name", good() | {"FLOWERS/red/0.PNG": content((0, 0, 0), 0)})
    refused("a folder have the same", good() | {"flowers/red/0.png/1.png": content((0, 0, 0), 0)})
    twice = archive(good())
    with zipfile.ZipFile(twice, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("flowers/red/0.png", b"")
    refused("same name", twice)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(kind: int) -> None:
    made = archive(good())
    with zipfile.ZipFile(made, "a") as more:
        link = zipfile.ZipInfo("flowers/red/link.png")
        link.external_attr = (kind | 0o777) << 16
        more.writestr(link, "/etc/passwd")
    refused("not a plain file", made)


def test_a_bomb_is_refused_by_what_it_says_and_by_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    zeros = bytes(30 * 2**20)
    refused("suspicious size", good() | {"flowers/red/bomb.bmp": zeros})
    # One that lies of its size: the table of contents says 100 bytes.
    lying = archive(good() | {"flowers/red/bomb.bmp": zeros}).getvalue()
    lying = lying.replace(struct.pack("<I", len(zeros)), struct.pack("<I", 100))
    refused("cannot be read|more than it declares", BytesIO(lying))
    monkeypatch.setenv("TRANSFER_UPLOAD_UNPACKED_MB", "0")
    refused("too large when unpacked", good())
    monkeypatch.setenv("TRANSFER_UPLOAD_MB", "0")
    refused("too large", good())


def test_what_is_written_is_counted_whatever_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_UPLOAD_UNPACKED_MB", "0")
    monkeypatch.setattr(uploads, "declared", lambda members, size: None)
    refused("more than it declares", good())


def test_too_many_files_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_UPLOAD_FILES", "8")
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("the table of contents was read"))
    made = BytesIO(b"PK\x01\x02" * 9)
    refused("too many files", made)
    with pytest.raises(RequestError, match="too many files"):
        uploads.take_files("many", [(f"{place}.png", BytesIO()) for place in range(9)])


def test_what_is_no_archive_torn_or_encrypted_is_refused() -> None:
    refused("cannot be read", BytesIO(b"no zip"))
    refused("cannot be read", BytesIO(archive(good()).getvalue()[:-300]))
    whole = bytearray(archive(good(), zipfile.ZIP_STORED).getvalue())
    whole[200] ^= 255  # inside a picture: its checksum no longer holds
    refused("cannot be read", BytesIO(bytes(whole)))
    locked = bytearray(archive(good()).getvalue())
    at = locked.rindex(b"PK\x01\x02")
    locked[at + 8] |= 1
    refused("encrypted", BytesIO(bytes(locked)))


def test_what_only_looks_like_a_picture_is_left_out_by_name() -> None:
    more = {
        "flowers/red/script.png": b"<script>alert(1)</script>",
        "flowers/red/drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "flowers/red/drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "flowers/red/page.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        "flowers/red/huge.png": huge_png(),
        "flowers/notes.txt": b"notes",
        "__MACOSX/flowers/red/._0.png": b"resource fork",
    }
    received = uploads.take_archive("mixed", archive(good() | more))
    assert received.pictures == 9
    said = {Path(name).name: why for name, why in received.left_out}
    assert set(said) == {"script.png", "drawing.svg", "drawing.jpg", "page.jpg", "huge.png", "notes.txt"}
    assert "pixels" in said["huge.png"]
    kept = {one.name for one in uploads.where("mixed").rglob("*") if one.is_file()}
    assert kept == {"0.png", "1.png", "2.png", ".left_out.json"}
    assert uploads.left_out("mixed") == received.left_out


def test_an_upload_that_cannot_be_learned_leaves_nothing() -> None:
    refused("only one class", {name: data for name, data in good().items() if "/red/" in name})
    refused("no labelled pictures", {"a/b.txt": b""})
    refused("too few", {name: data for name, data in good().items() if name != "flowers/red/0.png"})


def test_of_two_uploads_of_one_name_at_once_one_is_kept_whole() -> None:
    meet, said = threading.Barrier(2), []

    def upload(number: int) -> None:
        def told(done: int, total: int) -> None:
            if done == total:
                meet.wait(10)

        try:
            uploads.take_archive("same", archive(good(3 + number)), told)
            said.append(number)
        except RequestError as problem:
            assert "An upload of that name already exists" in str(problem)

    both = [threading.Thread(target=upload, args=(number,)) for number in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(said) == 1
    assert catalog.dataset("upload:same").count == 3 * (3 + said[0])
    assert [one.name for one in uploads.place().iterdir()] == ["same"]
    with pytest.raises(RequestError, match="An upload of that name already exists"):
        uploads.take_archive("same", archive(good()))


@pytest.mark.parametrize("name", ["", "../x", "A b", "a" * 41, ".staging-1", "-x"])
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="name is not allowed"):
        uploads.take_archive(name, archive(good()))
    assert uploads.names() == []


def test_what_a_dead_process_left_is_cleaned_away() -> None:
    (uploads.place() / ".staging-999999999-x").mkdir()
    uploads.take_archive("flowers", archive(good()))
    assert [one.name for one in uploads.place().iterdir()] == ["flowers"]

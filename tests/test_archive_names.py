"""Names in archives: letters of every code page, odd but harmless characters, and files that are no zip at all."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from io import BytesIO

import pytest

from tests.pictures import COLOURS, content
from tests.test_uploads import archive, good, refused
from transfer import catalog
from transfer.errors import RequestError
from transfer.pictures import uploads
from transfer.pictures.layout.typed import Corrections

PICTURE = content(COLOURS["red"], 0, width=8, height=8)


def raw(names: list[bytes], extra: bytes = b"") -> BytesIO:
    """A zip whose names are these bytes and whose entries do not say how they are written."""
    out, central = b"", b""
    for name in names:
        data = b"" if name.endswith((b"\\", b"/")) else PICTURE
        fields = (0, 0, 0, 0x5821, zlib.crc32(data), len(data), len(data), len(name), len(extra))
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, *fields, 0, 0, 0, 0, len(out)) + name + extra
        out += struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, *fields) + name + extra + data
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(names), len(names), len(central), len(out), 0)
    return BytesIO(out + central + end)


@pytest.mark.parametrize(
    ("code", "classes"),
    [("cp932", ("ソース", "ソーダ", "パン")), ("cp932", ("表", "裏")), ("gbk", ("猫", "狗")), ("big5", ("貓", "狗")),
     ("cp437", ("Käse", "Öl")), ("cp1252", ("café", "thé")), ("cp1251", ("кошка", "собака")),
     ("utf-8", ("Käse", "猫"))],
)  # fmt: skip
def test_classes_keep_the_letters_they_were_written_in(code: str, classes: tuple[str, ...]) -> None:
    received = uploads.take_archive("x", raw([f"{one}/{n}.png".encode(code) for one in classes for n in range(3)]))
    assert catalog.dataset("upload:x").classes == tuple(sorted(classes))
    assert ("were read as" in " ".join(received.said)) == (code != "utf-8")


def test_a_name_in_the_extra_field_comes_first() -> None:
    name, meant = b"a/1.png", "猫/1.png"
    body = b"\x01" + struct.pack("<I", zlib.crc32(name)) + meant.encode()
    made = raw([name], struct.pack("<HH", 0x7075, len(body)) + body)
    with zipfile.ZipFile(made) as opened:
        from transfer.received.archive_names import letters

        assert letters(opened.infolist()) == ([meant], "")


def test_back_slashes_are_folders() -> None:
    names = [rf"set\{one}\{n}.png".encode() for one in ("cat", "dog") for n in range(3)]
    uploads.take_archive("x", raw([*names, b"set\\cat\\"]))
    assert catalog.dataset("upload:x").classes == ("cat", "dog")


@pytest.mark.parametrize("odd", ["\u202f", "\u00a0", "\u3000", "\u200d", "\u200e", "\ufe0f", "\ufeff",
                                 "\U0001fae9", "\uf021",
                                 "'", ",", "😀", " "])  # fmt: skip
def test_odd_but_harmless_characters_are_taken(odd: str) -> None:
    received = uploads.take_archive("x", archive({f"{one}/at{odd}{n}.png": PICTURE for one in "ab" for n in range(3)}))
    assert received.pictures == 6


def tar(kind: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=kind) as made:  # type: ignore[call-overload]  # any of its modes
        made.addfile(tarfile.TarInfo("a/1.png"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "what"),
    [(b"7z\xbc\xaf\x27\x1c" + bytes(40), "a 7z archive"), (b"Rar!\x1a\x07\x01\x00" + bytes(40), "a RAR archive"),
     (tar("w"), "a tar archive"), (tar("w:gz"), "a gzip or .tar.gz"), (tar("w:bz2"), "a bzip2 archive"),
     (tar("w:xz"), "an xz archive"),
     (b"<!DOCTYPE html><html>", "a page of text, not an archive"), (b"\xff\xd8\xff\xe0", "a picture")],
 ids=lambda one: one if isinstance(one, str) else "")  # fmt: skip
def test_what_is_only_called_a_zip_is_named(data: bytes, what: str) -> None:
    refused(f"it is {what}", BytesIO(data))


def test_an_archive_in_an_archive_is_named() -> None:
    refused("not read: inner.zip", {"inner.zip": archive(good()).getvalue()})
    received = uploads.take_archive("x", archive(good() | {"more.rar": b"Rar!"}))
    assert received.left_out == [("more.rar", "an archive inside the archive: unpack it first")]


def test_a_refusal_shows_no_path_of_the_machine() -> None:
    for files in ({f"{n}.png": PICTURE for n in range(5)}, {"labels.xlsx": b"PK", "1.png": PICTURE},
                  {"cat/1.png": PICTURE},
                  {f"{y}/{c}/{n}.png": PICTURE for y in (2019, 2020) for c in "ab" for n in range(3)}):  # fmt: skip
        with pytest.raises(RequestError) as problem:
            uploads.take_archive("x", archive(files))
        assert str(uploads.place()) not in str(problem.value)
        assert ".staging" not in str(problem.value)


def test_what_is_asked_can_be_answered_and_stays_with_the_upload() -> None:
    files = {f"{year}/{name}/{n}.png": PICTURE for year in (2019, 2020) for name in "ab" for n in range(3)}
    refused("could be the classes", files)
    uploads.take_archive("x", archive(files), corrections=Corrections(classes="sub-folders"))
    assert catalog.dataset("upload:x").classes == ("a", "b")
    uploads.remove("x")
    refused("could be the classes", files)


def test_tables_come_with_an_upload_and_notes_do_not_stay() -> None:
    lines = "\n".join(["file\tlabel", *(f"{n}.png\t{n % 2}" for n in range(6))]).encode("utf-16")
    more = {"list.txt": lines, "classes.txt": b"cat\ndog\n", "notes.txt": b"hello"}
    received = uploads.take_archive("x", archive({f"{n}.png": PICTURE for n in range(6)} | more))
    assert catalog.dataset("upload:x").classes == ("cat", "dog")
    assert received.left_out == [("notes.txt", "not a picture, judging by its extension")]
    assert "Labels come from list.txt" in " ".join(received.said)


@pytest.mark.parametrize(
    ("file", "name"),
    [("猫狗.zip", "maogou"), ("Käse & Öl.zip", "kase_ol"), ("кошки.zip", "koshki"), ("ねこ.zip", "neko"),
     ("Flowers 2.tar.zip", "flowers_2_tar"), ("🐶.zip", "dog"), ("---.zip", "pictures")],
)  # fmt: skip
def test_a_name_is_suggested_in_the_letters_that_it_may_have(file: str, name: str) -> None:
    assert uploads.suggested(file) == name

"""A file is there as a whole or as it was before."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from transfer import whole_file


@pytest.mark.parametrize("content", ["a", "\N{SNOWMAN}", "a\udcff", b"\x00\xff", lambda file: file.write(b"made")])
def test_what_is_written_is_there(content: object, tmp_path: Path) -> None:
    place = tmp_path / "new" / ("x" * 200)
    whole_file.write(place, content)  # type: ignore[arg-type]  # one of three types
    known = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
    assert place.read_bytes() == (known if isinstance(known, bytes) else b"made")
    assert [one.name for one in place.parent.iterdir()] == [place.name]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "kept.json"
    whole_file.write(place, "before")

    def half(file: object) -> None:
        file.write(b"half")  # type: ignore[attr-defined]  # an open file
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        whole_file.write(place, half)
    assert place.read_text() == "before" and list(tmp_path.iterdir()) == [place]


def test_nobody_reads_half_of_it(tmp_path: Path) -> None:
    place, content = tmp_path / "shared", {"a" * 100_000, "b" * 100_000}
    whole_file.write(place, "a" * 100_000)
    writers = [Thread(target=lambda one=one: [whole_file.write(place, one) for _ in range(20)]) for one in content]
    for one in writers:
        one.start()
    read = {place.read_text() for _ in range(100)}
    for one in writers:
        one.join()
    assert read <= content and list(tmp_path.iterdir()) == [place]

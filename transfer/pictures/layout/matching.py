"""Which file a cell of a table means: people write names without folder, without ending, or as on another machine."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote


class Files:
    """The files of a folder, to be found by what a table calls them.

    Args:
        folder: where they lie.
        names: of all of them inside the folder.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        self._here = {_plain(str(folder)), _plain(os.path.realpath(folder))}
        self._tails: dict[str, list[str]] = defaultdict(list)
        self._stems: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.names):
            parts = _key(name).split("/")
            for place in range(len(parts)):
                tail = "/".join(parts[place:])
                self._tails[tail].append(name)
                stem = tail.rpartition(".")[0]
                if stem and not stem.endswith("/"):
                    self._stems[stem].append(name)

    def find(self, given: str, near: str = "") -> list[str]:
        """The files that a cell may mean: none, the one, or several of which nobody knows the right one.

        Args:
            given: as the table has it.
            near: the folder in which it is looked for first: the table's own, or its part's.
        """
        clean = tidy(given)
        if clean is None:
            return []
        if clean in self.names:
            return [clean]
        for inside in self._here:
            if clean.startswith(f"{inside}/"):
                clean = clean[len(inside) + 1 :]
        for way in (clean, tidy(unquote(clean)) or clean):
            key = _key(way).strip("/")
            for known in (self._tails, self._stems):
                if found := known.get(key):
                    return _nearest(found, key, near)
        return []

    def by_tail(self, given: str) -> tuple[str, list[str]]:
        """The longest end of a path that is a file here, as on another machine, and what it is: (end, files)."""
        clean = tidy(given)
        parts = _key(clean).strip("/").split("/") if clean else []
        for place in range(1, len(parts)):
            tail = "/".join(parts[place:])
            if found := self._tails.get(tail):
                return tail, found
        return "", []


def tidy(given: str) -> str | None:
    """A cell as a path with slashes; None when it is none: it leads out, or has control characters."""
    if not given or any(ord(one) < 32 for one in given):
        return None
    given = given.removeprefix("file://") if given.startswith("file://") else given
    path = PurePosixPath(given.replace("\\", "/"))
    if ".." in path.parts:
        return None
    return _plain(str(path))


def leads_out(given: str) -> bool:
    """Whether a name that was not found is one of elsewhere: absolute, with a drive, or upwards."""
    clean = tidy(given)
    return clean is None or clean.startswith("/") or bool(re.match(r"[A-Za-z]:", clean))


def _plain(path: str) -> str:
    return path.replace("\\", "/").rstrip("/")


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _nearest(found: list[str], key: str, near: str) -> list[str]:
    """Of several, the one written exactly so, or that in the folder that is looked into first."""
    whole = [one for one in found if _key(one) == key]
    if len(whole) == 1:
        return whole
    inside = [one for one in found if near and one.startswith(f"{near}/")]
    return inside if len(inside) == 1 else found


def elsewhere(files: Files, given: Iterable[str]) -> dict[str, str]:
    """Names with paths of another machine, by cell, as far as their ends fit without doubt.

    Two cells with one end in different folders (``/x/cat/1.jpg``, ``/x/dog/1.jpg``) would otherwise be one file.
    """
    ends = {one: files.by_tail(one) for one in given}
    counts = Counter(tail.rpartition("/")[2] for tail, _ in ends.values() if tail)
    several = Counter(tail for tail, _ in ends.values())
    return {
        one: found[0]
        for one, (tail, found) in ends.items()
        if len(found) == 1 and several[tail] == 1 and ("/" in tail or counts[tail] == 1)
    }

"""The names under a folder, read once: which files and folders there are, and how many pictures lie below each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from transfer.pictures.formats import unfit

_SYSTEM = frozenset(
    {"thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "@recycle", "#recycle", "$recycle.bin", "lost+found",
     "system volume information", "__pycache__", "icon\r"}
)  # fmt: skip
_TEXTS = frozenset(
    {"readme", "license", "licence", "copying", "notice", "changelog", "authors", "citation", "makefile", "md5sums",
     "sha256sums", "checksums", "manifest", "version", "todo"}
)  # fmt: skip
ABOUT = frozenset(
    {".txt", ".csv", ".tsv", ".tab", ".json", ".jsonl", ".ndjson", ".xml", ".md", ".rst", ".yaml", ".yml", ".pdf",
     ".html", ".htm", ".mat", ".npy", ".npz", ".pkl", ".h5", ".hdf5", ".parquet", ".xlsx", ".xls", ".ods", ".doc",
     ".docx", ".rtf", ".py", ".ipynb", ".sh", ".toml", ".ini", ".cfg", ".names", ".data", ".log", ".lst", ".bib"}
)  # fmt: skip


def hidden(name: str) -> bool:
    """Whether it is something a system leaves beside the files a person sees."""
    return name.startswith((".", "__MACOSX", "~$")) or name.casefold() in _SYSTEM


def is_picture(name: str) -> bool:
    """Whether a file may be a picture, by its name."""
    return not unfit(name) and name.casefold() not in _TEXTS


@dataclass(eq=False)
class Node:
    """A folder with what lies in it.

    Args:
        path: its name inside the folder that was read, ``a/b``; empty for that itself.
        parent: the folder around it.
        folders: those in it, by name, sorted.
        files: names of the files in it, sorted.
        pictures: how many pictures lie in it and below.
        others: how many other files lie in it and below.
        plain: whether all of those others are texts and the like, by their endings.
    """

    path: str = ""
    parent: Node | None = None
    folders: dict[str, Node] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    pictures: int = 0
    others: int = 0
    plain: bool = True

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]

    def add(self, name: str) -> None:
        """Puts a file into it."""
        self.files.append(name)
        about = os.path.splitext(name)[1].lower() in ABOUT or name.casefold() in _TEXTS
        picture, above = is_picture(name), self
        while above is not None:
            above.pictures += picture
            above.others += not picture
            above.plain = above.plain and (picture or about)
            above = above.parent  # type: ignore[assignment]  # ends the loop

    def walk(self) -> Iterator[tuple[str, str]]:
        """Every file in it and below: its name from here, ``sub/1.jpg``, and its path in the whole."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            for name in node.files:
                path = f"{node.path}/{name}" if node.path else name
                yield path[len(self.path) + 1 :] if self.path else path, path
            waiting += reversed(node.folders.values())

    def at(self, path: str) -> Node | None:
        """The folder of that path below it, or None."""
        node: Node | None = self
        for name in filter(None, path.split("/")):
            node = node.folders.get(name) if node else None
        return node

    @property
    def with_pictures(self) -> dict[str, Node]:
        """The folders in it that hold pictures, however deep."""
        return {name: one for name, one in self.folders.items() if one.pictures}

    @property
    def own_pictures(self) -> int:
        """Pictures that lie directly in it."""
        return sum(map(is_picture, self.files))

    @property
    def is_beside(self) -> bool:
        """Whether it holds texts about pictures, and no picture."""
        return not self.pictures and self.others > 0 and self.plain


@dataclass(frozen=True)
class Tree:
    """Everything under a folder but what systems leave there.

    Args:
        folder: where it is.
        top: the folder itself.
        unread: name and reason of folders that could not be read.
    """

    folder: Path
    top: Node
    unread: tuple[tuple[str, str], ...] = ()


def read(folder: Path) -> Tree:
    """The names under a folder; links are followed, circles are not.

    Raises:
        OSError: the folder itself cannot be read.
    """
    unread: list[tuple[str, str]] = []

    def trouble(problem: OSError) -> None:
        name = os.path.relpath(problem.filename, folder)
        if name == ".":
            raise problem
        unread.append((name, f"this folder cannot be read: {problem.strerror}"))

    top, seen = Node(), set()
    nodes = {os.fspath(folder): top}
    for place, folders, files in os.walk(folder, onerror=trouble, followlinks=True):
        node, real = nodes.pop(place), os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(one for one in folders if not hidden(one))
        for name in folders:
            path = f"{node.path}/{name}" if node.path else name
            node.folders[name] = nodes[os.path.join(place, name)] = Node(path, node)
        for name in sorted(files):
            if not hidden(name):
                node.add(name)
    return Tree(folder, top, tuple(unread))

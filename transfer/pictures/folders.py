"""The pictures in a folder, as it was understood, each with its class, its part and its size."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from transfer.errors import ImpossibleExperiment, RequestError
from transfer.pictures.layout.kept import kept
from transfer.pictures.layout.tree import hidden
from transfer.pictures.layout.typed import Corrections, Understood
from transfer.pictures.layout.understanding import HOW, understand
from transfer.received.files import Unreadable, about
from transfer.received.words import Part

__all__ = ["File", "Listing", "Part", "enough", "hidden", "listing"]


@dataclass(frozen=True)
class File:
    """A picture's file: its name inside the folder, its class, part, size in bytes and modification time."""

    name: str
    label: int
    part: Part
    size: int
    changed: int


@dataclass(frozen=True)
class Listing:
    """What a folder contains.

    Args:
        root: the folder.
        files: its pictures, in the order of their names.
        classes: class names in label order.
        left_out: name and reason of what looks like data but is not used.
        said: how the folder was understood, in plain sentences.
    """

    root: Path
    files: tuple[File, ...]
    classes: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...] = field(default=())
    said: tuple[str, ...] = field(default=())

    @property
    def stamp(self) -> str:
        """Changes whenever a file is added, removed, renamed or written: 64 hexadecimal digits."""
        digest = hashlib.sha256(str(self.root).encode("utf-8", "surrogateescape"))
        for one in self.files:
            said = f"{one.name}\0{one.label}\0{one.part}\0{one.size}\0{one.changed}\n"
            digest.update(said.encode("utf-8", "surrogateescape"))
        digest.update("\0".join(self.classes).encode("utf-8", "surrogateescape"))
        return digest.hexdigest()


def listing(folder: Path, corrections: Corrections | None = None) -> Listing:
    """The pictures under a folder with their classes; reads names and tables, not pictures.

    Args:
        folder: where they are.
        corrections: how to read it; None: as set for this folder before, if it was.

    Raises:
        RequestError: there is no such folder, or nothing in it to train on.
    """
    try:
        if not folder.is_dir():
            raise RequestError("There is no such folder.", str(folder), "Give the path of a folder on this machine.")
        made = _listed(folder, understand(folder, kept(folder) if corrections is None else corrections))
    except OSError as problem:
        received = f"{problem.strerror}: {problem.filename}"
        raise RequestError("The folder cannot be read.", received, "Allow the lab to read it.") from problem
    _learnable(made)
    return made


def _listed(folder: Path, meant: Understood) -> Listing:
    root = folder / meant.root if meant.root else folder
    number = {name: place for place, name in enumerate(meant.classes)}
    files, left = [], list(meant.left_out)
    for name, label, part in sorted(meant.files):
        try:
            seen = about(root / name)
        except Unreadable as problem:
            left.append((name, str(problem)))
            continue
        files.append(File(name, number[label], part, seen.st_size, seen.st_mtime_ns + seen.st_ctime_ns))
    return Listing(root, tuple(files), meant.classes, tuple(left), meant.said)


def _learnable(made: Listing) -> None:
    """Raises when there is nothing to train on: no picture, one class, or a class that is empty or too small."""
    if not made.files:
        raise RequestError("There are no labelled pictures.", "none that can be read", HOW)
    if len(made.classes) < 2:
        raise ImpossibleExperiment("There is only one class.", repr(made.classes[0]), HOW)
    enough(made.classes, [(one.label, one.part) for one in made.files])


def enough(classes: tuple[str, ...], given: list[tuple[int, Part]]) -> None:
    """Raises when a class has fewer pictures than the split needs.

    Args:
        classes: names in label order.
        given: label and part of each picture.

    Raises:
        ImpossibleExperiment: names the class.
    """
    counts = [0] * len(classes)
    for label, part in given:
        counts[label] += part == "train"
    parts = {part for _, part in given}
    needed = 3 - len({"validation", "test"} & parts)
    scarcest = min(range(len(classes)), key=counts.__getitem__)
    if counts[scarcest] == 0:
        raise ImpossibleExperiment(
            f"The class {classes[scarcest]!r} has no pictures to train on.", "0 pictures",
            "Add some, or remove its folder.",
        )  # fmt: skip
    if counts[scarcest] < needed:
        raise ImpossibleExperiment(
            f"The class {classes[scarcest]!r} has too few pictures: training, validation and test each need one.",
            f"{counts[scarcest]} of at least {needed}",
            "Add pictures to it, or remove its folder.",
        )

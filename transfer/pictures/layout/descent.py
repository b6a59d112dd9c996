"""Finds the folder that holds the classes: many an archive wraps it, doubles it, or lays papers beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from transfer.pictures.layout.tree import Node, is_picture
from transfer.received.words import BESIDE, alike, is_noise

TABLES = (".csv", ".tsv", ".tab", ".psv", ".txt")


def levels(top: Node) -> list[Node]:
    """The folder itself and, from outside to inside, those in it that could stand for it."""
    found = [top]
    while (inner := _inner(found[-1])) is not None:
        found.append(inner)
    return found


def _inner(node: Node) -> Node | None:
    """The only folder in this one that could be meant, or None."""
    holders = node.with_pictures
    if len(holders) > 1:
        # images/ beside annotations/: masks and the like are pictures, too, but not of classes.
        meant = [one for name, one in holders.items() if is_noise(name) and alike(name) not in BESIDE]
        if len(meant) != 1 or any(alike(name) not in BESIDE for name, one in holders.items() if one is not meant[0]):
            return None
    elif holders:
        meant = list(holders.values())
    else:
        return None
    others = [one for one in node.folders.values() if one.name not in holders]
    if any(not one.is_beside for one in others):
        return None  # an empty folder, or one of files that are no pictures: a class that would vanish
    inside = meant[0]
    tables = any(one.lower().endswith(TABLES) for one in inside.files)
    return inside if inside.with_pictures or tables or len(holders) > 1 else None


def inside_part(part: Node) -> Node:
    """The folder that holds a part's classes: ``seg_train/seg_train``, ``train/images``."""
    while len(part.with_pictures) == 1 and not part.own_pictures:
        inner = next(iter(part.with_pictures.values()))
        same = alike(inner.name) == alike(part.name) or is_noise(inner.name)
        if not same or not inner.with_pictures:
            break
        part = inner
    return part


def copies(folder: Path, root: Node) -> list[Node]:
    """Folders in this one that hold nothing but pictures that lie in it under the same names a second time."""
    nested = [child for child in root.with_pictures.values() if child.with_pictures]
    if not nested or len(root.with_pictures) < 2:
        return []
    there = {path for _, path in root.walk()}

    def twice(child: Node, name: str, path: str) -> bool:
        twin = f"{root.path}/{name}" if root.path else name
        apart = twin in there and not twin.startswith(f"{child.path}/")
        return apart and _size(folder / path) == _size(folder / twin)

    def pictures(child: Node) -> Iterator[tuple[str, str]]:
        return ((name, path) for name, path in child.walk() if is_picture(os.path.basename(name)))

    return [child for child in nested if all(twice(child, *one) for one in pictures(child))]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1

"""What a person can choose from when correcting how a folder is read: its sub-folders and tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transfer.pictures.layout.sheet import ENDINGS

MOST = 12


@dataclass(frozen=True)
class Offered:
    """Names in a folder or an archive.

    Args:
        roots: sub-folders that may hold the classes or the table, outermost first.
        tables: files that may be tables of labels.
        parts: folders and tables that may be parts.
    """

    roots: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def offered(names: Iterable[str]) -> Offered:
    """What the names of all files offer; `roots` go two folders deep, `parts` are at most twelve."""
    folders: dict[str, None] = {}
    tables = []
    several = sorted(names)
    for name in several:
        pieces = name.split("/")[:-1]
        for deep in range(1, min(3, len(pieces) + 1)):
            folders.setdefault("/".join(pieces[:deep]))
        if name.lower().endswith(ENDINGS):
            tables.append(name)
    around = _around(several)
    inside = {name[len(around) :].partition("/")[0] for name in several
              if name.startswith(around) and "/" in name[len(around) :]}  # fmt: skip
    beside = [one[len(around) :] for one in tables if one.startswith(around) and "/" not in one[len(around) :]]
    parts = (*sorted(inside), *beside)
    return Offered(tuple(folders)[:200], tuple(tables[:200]), parts if len(parts) <= MOST else ())


def _around(names: list[str]) -> str:
    """The folders around everything that lies in a folder, ``data/pets/``; empty when there are several."""
    held = [one for one in names if "/" in one]
    around = ""
    while True:
        inside = {one[len(around) :].partition("/")[0] for one in held if "/" in one[len(around) :]}
        direct = any("/" not in one[len(around) :] for one in held)
        if len(inside) != 1 or direct:
            return around
        around += f"{inside.pop()}/"

"""Labels from folders: a class a folder, in parts when folders are parts; what could be either is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from transfer.errors import ImpossibleExperiment, RequestError
from transfer.pictures.formats import unfit
from transfer.pictures.layout.descent import copies, inside_part
from transfer.pictures.layout.tree import Node, is_picture
from transfer.pictures.layout.typed import LEFT_OUT, Corrections, Named, Understood
from transfer.received.words import (
    PARTS,
    UNLABELLED,
    Part,
    alike,
    is_noise,
    like_a_split,
    part_of,
    parts_of,
    shown,
    tokens,
)

SAY = "Choose on the Data page, or with `python -m transfer understand`"
_TEXTS = "a folder of texts, no pictures"


@dataclass
class _Found:
    files: list[Named] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    parts: dict[str, str] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)


def by_folders(folder: Path, root: Node, wanted: Corrections) -> Understood:
    """What the folders say.

    Args:
        folder: that was read.
        root: the folder in it that holds classes or parts.
        wanted: what a person has said of it.

    Raises:
        RequestError: it could mean two things; the message says which.
    """
    found = _Found()
    doubled = {one.name for one in copies(folder, root) if one.name not in wanted.parts}
    children = {}
    for name, child in root.folders.items():
        if name in doubled:
            found.notes.append(f"{shown(name)} inside was left out as a copy.")
            found.left.append((name, f"{child.pictures:,} pictures, each a copy of one beside it"))
        elif child.is_beside and len(root.folders) > 1:
            found.left.append((name, _TEXTS))
            found.notes.append(f"{shown(name)} was left out: it holds texts and no pictures.")
        else:
            children[name] = child
    found.left += [(name, unfit(name) or "in no class's folder") for name in root.files]
    parts = _parts(children, wanted)
    if parts:
        _in_parts(root, children, parts, found)
    elif wanted.classes is None and _parts_inside(children):
        _classes_first(root, children, found)
    else:
        if wanted.classes is None:
            _not_in_silence(children, found)
        for name, child in children.items():
            found.classes.add(name)
            _take(root, child, name, "train", found)
    _readable(children, found)
    return Understood(
        root=root.path, files=tuple(found.files), classes=tuple(sorted(found.classes)), parts=found.parts,
        left_out=tuple(found.left), notes=tuple(found.notes),
    )  # fmt: skip


def _parts(children: dict[str, Node], wanted: Corrections) -> dict[str, str]:
    """Which folders are parts; empty when none is, and all are classes."""
    told = {name: part for name, part in wanted.parts.items() if name in children}
    if wanted.classes == "folders" and not told:
        return {}
    named: dict[str, Part | None] = parts_of(one for one in children if one not in told)
    nested = [name for name in named if children[name].with_pictures]
    if wanted.classes == "sub-folders":
        return {**{name: part or "train" for name, part in named.items()}, **told}
    if told:
        if open_ := [name for name in nested if not named[name]]:
            raise _unclear("This folder has been given no part.", open_)
        return {**{name: part or LEFT_OUT for name, part in named.items()}, **told}
    known = {name: part for name, part in named.items() if part}
    rest = [name for name in named if name not in known]
    inner = {alike(one) for name in known for one in inside_part(children[name]).folders}
    flat = [name for name in rest if not children[name].with_pictures and children[name].pictures]
    unlabelled = [
        name for name in rest if _is_unlabelled(name, children) or (name in flat and alike(name) not in inner)
    ]
    labelled = [name for name in known if children[name].with_pictures]
    if "train" not in known.values() or not labelled and not _only_parts(known, rest):
        if labelled and len(known) == len(named) > 1 and _repeated(children):
            raise _unclear("No folder is for training: these are parts for validation and test.", sorted(known))
        return {}
    if set(rest) <= set(unlabelled) and (labelled or not rest):
        return {**known, **dict.fromkeys(unlabelled, LEFT_OUT)}
    if _repeated({name: children[name] for name in (*known, *rest)}):
        raise _unclear(f"{_and(sorted(known))} are parts of the data, but there is a folder beside them that is not.",
                       [one for one in rest if one not in unlabelled])  # fmt: skip
    return {}


def _only_parts(known: dict[str, Part], rest: list[str]) -> bool:
    """Whether all folders are called as parts are, pictures lying in them directly; two of other names are classes."""
    return not rest and (len(known) > 1 or any(alike(one) in PARTS for one in known))


def _is_unlabelled(name: str, children: dict[str, Node]) -> bool:
    shared = set.intersection(*(set(tokens(one)) for one in children)) if len(children) > 1 else set()
    return bool((set(tokens(name)) - shared) & UNLABELLED)


def _in_parts(root: Node, children: dict[str, Node], parts: dict[str, str], found: _Found) -> None:
    bases = {name: inside_part(children[name]) for name in children}
    trained = {one for name in children if parts[name] == "train" for one in bases[name].folders}
    learned = {alike(one): one for one in trained} | {one: one for one in trained}
    for name, base in bases.items():
        part = parts[name]
        labels = list(base.with_pictures)
        # test/unknown/*.jpg: a folder that loaders ask for, and no class.
        strange = len(labels) == 1 and alike(labels[0]) not in learned
        if part == LEFT_OUT or part != "train" and base.pictures and (not labels or strange):
            found.parts[name] = LEFT_OUT
            found.left.append((name, f"{base.pictures:,} pictures without labels"))
            found.notes.append(f"{shown(name)} was left out: its pictures have no labels.")
            continue
        found.parts[name] = part
        for path in _stray(root, children[name], base):
            found.left.append((path, unfit(path.rpartition("/")[2]) or "in no class's folder"))
        for one, node in base.folders.items():
            if node.is_beside:
                found.left.append((_from(root, node.path), _TEXTS))
                continue
            label = one if one in trained else learned.get(alike(one), one)
            found.classes.add(label)
            _take(root, node, label, cast(Part, part), found)


def _stray(root: Node, child: Node, base: Node) -> Iterator[str]:
    """Files on the way from a part's folder down to its classes."""
    node: Node | None = base
    while node is not None:
        yield from (_from(root, f"{node.path}/{name}") for name in node.files)
        node = None if node is child else node.parent


def _parts_inside(children: dict[str, Node]) -> bool:
    """Whether each class has its own parts in it, ``cat/train``; asks when only some have."""

    def inner(child: Node) -> set[Part | None]:
        return {part_of(one, child.with_pictures) for one in child.with_pictures}

    split = [name for name, child in children.items() if "train" in inner(child) and None not in inner(child)]
    if not split or len(children) < 2:
        return False
    if others := [one for one in children if one not in split and children[one].pictures]:
        some = f"{_and(split[:3])} {'are' if len(split) > 1 else 'is'}"
        raise _unclear(f"{some} divided into training and test, and other folders are not.", others)
    return True


def _classes_first(root: Node, children: dict[str, Node], found: _Found) -> None:
    found.notes.append("The parts lie inside of the classes.")
    for label, child in children.items():
        found.classes.add(label)
        found.left += [(_from(root, f"{child.path}/{one}"), unfit(one) or "beside the parts") for one in child.files]
        for name, node in child.folders.items():
            part = part_of(name, child.with_pictures)
            if part is None:
                found.left.append((_from(root, node.path), "a folder that is no part"))
                continue
            found.parts[name] = part
            _take(root, node, label, part, found)


def _repeated(children: dict[str, Node]) -> list[str]:
    """Names of sub-folders that lie in several of the folders, when they are at least half of what one holds."""
    inner = [[one for one in child.with_pictures if not is_noise(one)] for child in children.values()]
    holders = [one for one in inner if one]
    counts = Counter(name for one in holders for name in {alike(each) for each in one})
    twice = {name for name, count in counts.items() if count > 1}
    if any(2 * sum(alike(one) in twice for one in several) >= len(several) for several in holders):
        return sorted({one for several in holders for one in several if alike(one) in twice})
    return []


def _not_in_silence(children: dict[str, Node], found: _Found) -> None:
    """Raises when the outer folders may be years or places, and the classes lie inside of them."""
    twice = _repeated(children)
    if not twice:
        return
    inside, outside = (all(map(like_a_split, names)) for names in (twice, children))
    if inside and not outside:
        found.notes.append(f"Folders inside of the classes ({_and(twice[:3])}) were taken together.")
        return
    raise RequestError(
        "Either the outer folders or the ones inside them could be the classes: several hold the same sub-folders.",
        f"{_and(twice[:4])} in {_and(list(children)[:4])}",
        f"{SAY}, which of them are the classes, or which folder is which part.",
    )


def _take(root: Node, node: Node, label: str, part: Part, found: _Found) -> None:
    for name, path in node.walk():
        if is_picture(name.rpartition("/")[2]):
            found.files.append((_from(root, path), label, part))
        else:
            found.left.append(
                (_from(root, path), unfit(name.rpartition("/")[2]) or "not a picture, judging by its name")
            )


def _readable(children: dict[str, Node], found: _Found) -> None:
    """Raises when a class has files, and none is in a supported format."""
    for name, child in children.items():
        if child.pictures or not child.others or found.parts or child.is_beside:
            continue
        endings = Counter(Path(one).suffix.lower() for one, _ in child.walk())
        raise ImpossibleExperiment(
            f"The class {shown(name)!r} has no picture in a supported format.",
            ", ".join(f"{count:,} {ending or 'without an ending'}" for ending, count in endings.most_common(3)),
            "Save them as JPEG or PNG, or remove the folder.",
        )


def _unclear(wrong: str, names: list[str]) -> RequestError:
    return RequestError(
        wrong,
        _and(names[:4]),
        f"{SAY}, whether each is train, validation, test or left out, or the folders are classes.",
    )


def _from(root: Node, path: str) -> str:
    return path[len(root.path) + 1 :] if root.path else path


def _and(given: list[str]) -> str:
    names = [shown(one) for one in given]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "nothing"

"""A folder of pictures as a data set like any other."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import numpy as np

from transfer import settings, whole_file
from transfer.datasets import Dataset, Published, Samples
from transfer.pictures import uploaded
from transfer.pictures.decoder import Scales
from transfer.pictures.folders import Listing, Part, enough, listing
from transfer.pictures.formats import BadPicture, Header, decoded, extremes, header
from transfer.pictures.pack import Pack, ahead, packed
from transfer.pictures.scales import full_scale
from transfer.received import telling
from transfer.received.printable import printable

LAYOUT = 2
NAMED = 3
SUMMARY = "Your own pictures, the middle square of each: the longer side is cropped, not squeezed."
_FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class Looked:
    """A folder whose files have been checked but not decoded yet.

    Args:
        listing: its files.
        shape: (height, width, channels) they are kept at: never larger than the largest of them.
        sizes: width and height of each file as it is, shape (n, 2); 0 if it is not a picture.
        bad: name and reason of files that are not pictures.
        scales: for pictures deeper than eight bits, by depth: what becomes black and what white.
        several: how many files have further frames or pages.
    """

    listing: Listing
    shape: tuple[int, int, int]
    sizes: np.ndarray
    bad: tuple[tuple[str, str], ...]
    scales: Scales = field(default_factory=dict)
    several: int = 0

    @property
    def good(self) -> np.ndarray:
        """Places of the files that are pictures."""
        return np.flatnonzero(self.sizes[:, 0])

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Name and reason of everything that is not used."""
        return [*self.bad, *self.listing.left_out]

    @property
    def read_as(self) -> str:
        """What was done to unusual pictures, in a sentence or two; empty if there are none."""
        found = [
            f"{depth.capitalize()} pictures: {low:,.6g} to {high:,.6g} become 0 to 255, the same in all of them."
            for depth, (low, high) in self.scales.items()
        ]
        if self.several:
            files = "1 file has" if self.several == 1 else f"{self.several:,} files have"
            found.append(f"{files} several frames or pages: the first is used.")
        return " ".join(found)


_seen: dict[str, tuple[float, Looked]] = {}


def looked(folder: Path) -> Looked:
    """What is in the folder now; within two seconds, the last answer is given again.

    Raises:
        RequestError: there is no such folder, or nothing in it to train on.
    """
    key = f"{settings.home()} {folder} {settings.picture_size()} {settings.most_pixels()}"
    when, known = _seen.get(key, (0.0, None))
    if known is not None and time.monotonic() - when < _FRESH_SECONDS:
        return known
    found = listing(folder)
    made = _headers(found)
    labels = [(found.files[place].label, found.files[place].part) for place in made.good.tolist()]
    enough(found.classes, labels)
    _seen[key] = time.monotonic(), made
    return made


def afresh() -> None:
    """Makes the next request for any folder check it again."""
    _seen.clear()


def of(key: str) -> Looked | None:
    """What is in the folder behind a data set's key, ``folder:`` or ``upload:``; None for any other."""
    prefix, _, rest = key.partition(":")
    if prefix == "folder":
        return looked(Path(rest).expanduser().resolve())
    return looked(uploaded.where(rest)) if prefix == "upload" else None


def dataset(key: str, title: str, folder: Path, reference: str) -> Dataset:
    """The folder as a data set.

    Args:
        key: as the experiment names it.
        title: on the page.
        folder: where the pictures are.
        reference: where they come from, in words.

    Raises:
        RequestError: there is no such folder, or nothing in it to train on.
    """
    seen = looked(folder)
    width = seen.shape[1]
    return Dataset(
        key=key,
        title=title,
        summary=f"{SUMMARY} {seen.read_as}".strip(),
        classes=seen.listing.classes,
        shape=seen.shape,
        count=len(seen.good),
        licence="your own",
        reference=reference,
        load=lambda: published(looked(folder)),
        warning=sentence(seen.bad),
        kept=True,
        stamp=seen.listing.stamp,
        scales=seen.scales,
        understood=seen.listing.said,
        sheet=settings.cache("sheets") / f"{seen.listing.stamp[:40]}-{width}.png",
    )


def published(seen: Looked) -> Published:
    """The folder's pictures, decoded on disk, in the folder's parts."""
    made = pack(seen)
    files = [seen.listing.files[place] for place in seen.good[made.facts["place"]].tolist()]
    enough(seen.listing.classes, [(one.label, one.part) for one in files])
    if bad := [*seen.bad, *made.bad]:
        telling.remark(sentence(bad))
    telling.remark("How the folder was read: " + " ".join(seen.listing.said))
    labels = np.array([one.label for one in files], "int64")

    def part(name: Part) -> Samples | None:
        places = np.flatnonzero([one.part == name for one in files])
        # It indexes like the array it stands for.
        return Samples(cast(np.ndarray, made.pictures(places)), labels[places]) if len(places) else None

    train = part("train")
    assert train is not None, "a class without training pictures is refused"
    return Published(train, part("test"), part("validation"))


def pack(seen: Looked) -> Pack:
    """The folder's pictures, decoded on disk."""
    root, files = seen.listing.root, [seen.listing.files[place] for place in seen.good.tolist()]
    side, _, channels = seen.shape

    def picture(place: int) -> np.ndarray:
        return decoded(root / files[place].name, side, channels, seen.scales)

    return packed(seen.listing.stamp, seen.shape, [one.name for one in files], picture)


def sentence(bad: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> str:
    """What was left out, by name; empty if nothing was."""
    if not bad:
        return ""
    named = "; ".join(f"{printable(name)} ({why})" for name, why in bad[:NAMED])
    more = f"; and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
    return f"{len(bad):,} file{'s were' if len(bad) > 1 else ' was'} left out: {named}{more}."


def _headers(found: Listing) -> Looked:
    """Sizes and colours of the files, from their headers; kept as long as no file changes."""
    words = f"{LAYOUT} {found.stamp} {settings.picture_size()} {settings.most_pixels()}"
    path = settings.cache("headers") / f"{hashlib.sha256(words.encode()).hexdigest()[:40]}.json"
    try:
        kept = json.loads(path.read_text())
    except (OSError, ValueError):
        kept = _read_headers(found)
        whole_file.write(path, json.dumps(kept))
    bad = tuple((name, why) for name, why in kept["bad"])
    sizes = np.array(kept["sizes"], "int64").reshape(-1, 2)
    scales = {depth: (low, high) for depth, (low, high) in kept["scales"].items()}
    return Looked(found, tuple(kept["shape"]), sizes, bad, scales, kept["several"])


def _read_headers(found: Listing) -> dict[str, object]:
    bad, sizes, grey, several = [], [], True, 0
    ranges: dict[str, tuple[float, float]] = {}
    for file, result in zip(found.files, ahead(lambda one: _measured(found.root / one.name), found.files), strict=True):
        try:
            said, least, most = result()
        except BadPicture as problem:
            bad.append((file.name, str(problem)))
            sizes.append((0, 0))
            continue
        sizes.append((said.width, said.height))
        grey = grey and said.grey
        several += said.several
        if said.depth:
            low, high = ranges.get(said.depth, (least, most))
            ranges[said.depth] = min(low, least), max(high, most)
    largest = max((min(one) for one in sizes), default=0)
    side = max(1, min(settings.picture_size(), largest))
    scales = {depth: full_scale(depth, *ranges[depth]) for depth in sorted(ranges)}
    shape = (side, side, 1 if grey else 3)
    return {"shape": shape, "sizes": sizes, "bad": bad, "scales": scales, "several": several}


def _measured(path: Path) -> tuple[Header, float, float]:
    """The header, and the lowest and highest value of a picture whose depth has no scale of its own."""
    said = header(path)
    return (said, *(extremes(path) if said.depth else (0.0, 0.0)))

"""Austen without names: the same passages, so that what was learned from names is of no use."""

from __future__ import annotations

import re
from collections.abc import Iterable

from transfer.datasets import Dataset, Published, Samples
from transfer.datasets.austen import NOVELS, TESTED, TRAINED
from transfer.datasets.shipped import as_samples, shipped

_MARK = "Name"
_KEPT = {"I", "Mr", "Mrs"}
_SMALL = re.compile(r"\b[a-z]+")
_CAPITAL = re.compile(r"((?:^|[.!?\"'(\u2013])\s?)?\b([A-Z][A-Za-z]*)")


def without_names(texts: Iterable[str], small: set[str]) -> list[str]:
    """The texts with a mark in place of names and of other words that are always written with a capital.

    A word with a capital counts as a name inside a sentence. At the beginning of one it counts when nobody
    writes it small. Misleads a little both ways: titles (Captain, Lady) and English or Sunday go, too, while a
    sentence that begins with Frank keeps its name, for the word is also an adjective.

    Args:
        texts: what to change.
        small: words that are written without a capital somewhere.

    Returns:
        As many texts; names in a row have become one mark.
    """

    def marked(found: re.Match[str]) -> str:
        before, word = found[1] or "", found[2]
        begins = found[1] is not None
        kept = word in _KEPT or (begins and word.lower() in small)
        return before + (word if kept else _MARK)

    return [re.sub(rf"\b{_MARK}(?:[ -]{_MARK}\b)+", _MARK, _CAPITAL.sub(marked, one)) for one in texts]


def _load() -> Published:
    named = shipped("austen", NOVELS)
    assert named.test is not None
    small = {word for part in (named.train, named.test) for one in part.inputs for word in _SMALL.findall(one)}
    train, test = (_nameless(part, small) for part in (named.train, named.test))
    return Published(train, test)


def _nameless(part: Samples, small: set[str]) -> Samples:
    return as_samples(without_names(part.inputs, small), part.labels)


AUSTEN_NAMELESS = Dataset(
    key="austen_nameless",
    title="Austen without names",
    summary=(
        "The 2,880 passages of Austen with every name of a person or place replaced by the same word; what remains is "
        "subject and style."
    ),
    classes=NOVELS,
    shape=(),
    count=2880,
    licence="public domain",
    reference="[janeaustenr](https://github.com/juliasilge/janeaustenr)",
    load=_load,
    modality="text",
    kept=True,
    drawn_from=TRAINED,
    tested_from=TESTED,
    warning=(
        "Titles disappear with the names, and a few names remain that are also common words; the editions "
        "spell some words differently (surprize, surprise), which is not the author's style."
    ),
)

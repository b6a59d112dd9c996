"""Some words of a text in favour of others that are used alike."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from transfer.backbones import neighbours

Tokens = Callable[[Sequence[str], int], np.ndarray]


@dataclass(frozen=True)
class Table:
    """Tokens that may stand for others.

    Args:
        known: tokens that have any, ascending, shape (m,).
        others: those that may stand for each, shape (m, `neighbours.EACH`); the first ``counts`` of a row count.
        counts: shape (m,), 1 or more.
    """

    known: np.ndarray
    others: np.ndarray
    counts: np.ndarray


@functools.cache
def table(tokens: Tokens) -> Table:
    """For a tokenizer, the words of `neighbours.near_words` that it reads as one token; none if it reads letters."""
    near = neighbours.near_words()
    single = _single(tokens, list(near))
    rows = {}
    for word, several in near.items():
        others = [single[one] for one in several if one in single]
        if word in single and others:
            rows[single[word]] = others
    known = np.array(sorted(rows), "int32")
    counts = np.array([len(rows[one]) for one in known.tolist()], "int64")
    filled = [np.resize(rows[one], neighbours.EACH) for one in known.tolist()]
    return Table(known, np.array(filled, "int32").reshape(-1, neighbours.EACH), counts)


def _single(tokens: Tokens, words: list[str]) -> dict[str, int]:
    """The token of each word that is one, as it is read after another word."""
    alone, *after = tokens(["the", *(f"the {word}" for word in words)], 16)
    found = {}
    for word, row in zip(words, after, strict=True):
        differ = np.flatnonzero(row != alone)
        if (row != 0).sum() == (alone != 0).sum() + 1 and len(differ) and row[differ[0]] > 1:
            found[word] = int(row[differ[0]])
    return found


def replaced(samples: np.ndarray, chosen: np.ndarray, random: np.random.Generator, by: Table) -> np.ndarray:
    """The texts with the chosen tokens, where they have any neighbour, replaced by one of them.

    Args:
        samples: tokens, shape (n, size), int32.
        chosen: which, bool, same shape.
        random: consumed alike whatever is chosen.
        by: of the network's tokenizer.
    """
    drawn = random.random(samples.shape)
    if not len(by.known):
        return samples
    at = np.minimum(np.searchsorted(by.known, samples), len(by.known) - 1)
    which = (drawn * by.counts[at]).astype("int64")
    return np.where(chosen & (by.known[at] == samples), by.others[at, which], samples)

"""Which of a network's tokens belong to which word of a text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Read = Callable[[Sequence[str]], np.ndarray]


def spans(text: str, ends: Sequence[int], read: Read) -> list[range]:
    """The places of each word's tokens; a word that the network does not read has none.

    A tokenizer tells no places, so the text is read up to the end of each word: as far as that agrees with the whole,
    the tokens are those of the words so far. The tokenizer's own marks belong to no word.

    Args:
        text: the whole.
        ends: where each word ends in it, in letters.
        read: from texts to tokens, int32, shape (n, size), 0 where a text has ended.
    """
    empty, whole, *begun = read(["", text, *(text[:end] for end in ends)])
    first = 0 if empty[0] == 1 else _agree(empty, whole)
    last = int((whole != 0).sum())
    marks = empty[empty != 0]
    last -= bool(len(marks) > 1 and whole[last - 1] == marks[-1])
    places = [first, *(min(max(_agree(one, whole), first), last) for one in begun)]
    return [range(*pair) for pair in zip(places[:-1], np.maximum.accumulate(places)[1:].tolist(), strict=True)]


def _agree(one: np.ndarray, other: np.ndarray) -> int:
    """How many tokens two texts have in common before the first that differs."""
    differ = np.flatnonzero((one != other) | (one == 0))
    return int(differ[0]) if len(differ) else len(one)

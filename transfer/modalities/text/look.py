"""What a data set of texts shows: samples by class, lengths, words that tell classes apart, what is there twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from transfer.datasets import Dataset, Samples

A_CLASS, TELLING, SHOWN = 4, 8, 400
MOST_CLASSES, MOST_PAIRS, MOST_LENGTHS = 200, 24, 3000
MOST_COMPARED, BLOCK = 10_000, 500
NEAR = 0.9
WORD = r"(?u)\b\w\w+\b"


def look(dataset: Dataset, parts: Mapping[str, Samples], folder: Path) -> dict[str, Any]:
    """What can be seen of the texts without a network.

    Args:
        dataset: of the catalog.
        parts: its split: ``train``, ``validation`` and ``test``.
        folder: not used; texts are part of the answer.

    Returns:
        JSON-able: ``samples`` of each class from the training part; ``lengths`` in words; ``vocabulary``, the number of
        different words; ``telling``, words that mark each class; ``pairs`` of alike texts, those that lie in different
        parts first, with ``pair_counts``.
    """
    texts = {name: list(one.inputs) for name, one in parts.items()}
    every = [text for several in texts.values() for text in several]
    lengths = np.array([len(text.split()) for text in every])
    pairs, counts = _alike(texts, parts, dataset.classes)
    telling, vocabulary = _telling(texts["train"], parts["train"].labels, len(dataset.classes))
    return {
        "samples": [_some(texts["train"], parts["train"].labels, label) for label in range(len(dataset.classes))],
        "lengths": lengths[_spread(len(lengths), MOST_LENGTHS)].tolist(),
        "vocabulary": vocabulary,
        "telling": telling,
        "pairs": pairs,
        "pair_counts": counts,
    }


def cut(text: str, most: int = SHOWN) -> str:
    """The text's beginning, as much as is shown."""
    return text if len(text) <= most else text[:most].rstrip() + " ..."


def _spread(count: int, wanted: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(wanted, count)).round().astype(int))


def _some(texts: list[str], labels: np.ndarray, label: int) -> list[str]:
    if label >= MOST_CLASSES:
        return []
    members = np.flatnonzero(labels == label)
    return [cut(texts[int(members[place])]) for place in _spread(len(members), A_CLASS)] if len(members) else []


def _counted(texts: list[str], binary: bool) -> tuple[Any, list[str]] | None:
    """How often each word is in each text, sparse, and the words; None where there is no word."""
    from sklearn.feature_extraction.text import CountVectorizer

    counting = CountVectorizer(token_pattern=WORD, binary=binary)
    try:
        return counting.fit_transform(texts), counting.get_feature_names_out().tolist()
    except ValueError:  # no text has a word of two letters or more
        return None


def _telling(texts: list[str], labels: np.ndarray, classes: int) -> tuple[list[list[str]], int]:
    """For each class the words that are most over-represented in it, and how many words there are.

    Log-odds against the other classes with all texts as the prior, over its standard deviation, so that a word seen
    once in one class does not come first.

    Reference:
        Monroe, Colaresi & Quinn 2008, Fightin' Words, eq. 16 to 22.
    """
    found = _counted(texts, binary=False)
    if found is None:
        return [[] for _ in range(classes)], 0
    counts, words = found
    prior = np.asarray(counts.sum(axis=0)).ravel().astype("float64")
    prior *= 500 / prior.sum()  # as many words as weigh against those of a class
    telling = []
    for label in range(min(classes, MOST_CLASSES)):
        inside = np.asarray(counts[labels == label].sum(axis=0)).ravel() + prior
        outside = np.asarray(counts[labels != label].sum(axis=0)).ravel() + prior
        odds = np.log(inside / (inside.sum() - inside)) - np.log(outside / (outside.sum() - outside))
        weighed = odds / np.sqrt(1 / inside + 1 / outside)
        best = np.argsort(-weighed, kind="stable")[:TELLING]
        telling.append([words[int(place)] for place in best if weighed[place] > 1])
    return telling, len(words)


def _alike(
    texts: Mapping[str, list[str]], parts: Mapping[str, Samples], classes: tuple[str, ...]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Pairs of texts that share all or nearly all of their words, and how many there are of each kind."""
    every = [text for several in texts.values() for text in several]
    part = np.repeat(list(texts), [len(several) for several in texts.values()])
    labels = np.concatenate([parts[name].labels for name in texts])
    found = _pairs(every)
    across = [part[first] != part[second] for first, second, _ in found]
    clash = [labels[first] != labels[second] for first, second, _ in found]
    order = sorted(range(len(found)), key=lambda at: (not across[at], not clash[at], not found[at][2]))
    shown = [
        {
            "same": found[at][2],
            "parts": [str(part[place]) for place in found[at][:2]],
            "texts": [cut(every[place]) for place in found[at][:2]],
            "classes": [classes[int(labels[place])] for place in found[at][:2]],
        }
        for at in order[:MOST_PAIRS]
    ]
    counts = {
        "same": sum(one[2] for one in found),
        "near": sum(not one[2] for one in found),
        "across": int(sum(across)),
        "clash": int(sum(clash)),
    }
    return shown, counts


def _pairs(texts: list[str]) -> list[tuple[int, int, bool]]:
    """Pairs of texts, and whether they are the same but for case and spaces.

    Nearly equal: the cosine between their sets of words is at least `NEAR`. Of more than `MOST_COMPARED` texts only
    the same ones are looked for.
    """
    first: dict[str, int] = {}
    same = []
    for place, text in enumerate(texts):
        words = " ".join(text.casefold().split())
        if words in first:
            same.append((first[words], place, True))
        else:
            first[words] = place
    kept = np.array(sorted(first.values()))
    counted = _counted([texts[place] for place in kept], binary=True) if len(texts) <= MOST_COMPARED else None
    if counted is None:
        return same
    from sklearn.preprocessing import normalize

    rows = normalize(counted[0].astype("float32")).tocsr()
    near = []
    for begin in range(0, rows.shape[0], BLOCK):
        products = (rows[begin : begin + BLOCK] @ rows.T).tocoo()
        close = (products.data >= NEAR) & (products.col > products.row + begin)
        for one, other in zip(products.row[close] + begin, products.col[close], strict=True):
            near.append((int(kept[one]), int(kept[other]), False))
    return same + near

"""Words that GloVe finds in the same company as a word: what stands in for synonyms when texts are varied."""

from __future__ import annotations

import functools
import json

import numpy as np

from transfer import settings
from transfer.backbones import glove
from transfer.texts.words import FIRST

EACH = 3
CLOSE = 0.7  # cosine
COMMON, MOST = 200, 8000  # the most frequent words are grammar: "he" is near "she", "not" near "but"
SHORTEST = 3
_AT_ONCE = 1000


@functools.cache
def near_words() -> dict[str, tuple[str, ...]]:
    """Up to `EACH` close words for each word that has any, nearest first; worked out once and kept in the lab's cache.

    Each has to be among the nearest of the other, which leaves out words that are near to everything. Near are words
    of like use, not only of like meaning: some are opposites (cheap, expensive).
    """
    name = f"{glove.identity()[:16]}-{EACH}-{CLOSE}-{COMMON}-{MOST}.json"
    file = settings.cache("neighbours") / name
    try:
        return {word: tuple(near) for word, near in json.loads(file.read_text()).items()}
    except (OSError, ValueError):
        found = _near_words()
    try:
        part = file.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.replace(file)
    except OSError:
        pass  # it only saves time
    return found


def _near_words() -> dict[str, tuple[str, ...]]:
    words = [one for one in glove.words()[COMMON:MOST] if len(one) >= SHORTEST and one.isalpha()]
    rows = {word: place for place, word in enumerate(glove.words())}
    vectors = glove.vectors()[[FIRST + rows[word] for word in words]]
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    near = np.empty((len(words), EACH), "int64")
    alike = np.empty((len(words), EACH), "float32")
    for at in range(0, len(words), _AT_ONCE):
        cosine = vectors[at : at + _AT_ONCE] @ vectors.T
        cosine[np.arange(len(cosine)), at + np.arange(len(cosine))] = -1
        best = np.argpartition(-cosine, EACH, axis=1)[:, :EACH]
        order = np.argsort(-np.take_along_axis(cosine, best, axis=1), axis=1)
        near[at : at + len(best)] = best = np.take_along_axis(best, order, axis=1)
        alike[at : at + len(best)] = np.take_along_axis(cosine, best, axis=1)
    mutual = (near[near] == np.arange(len(words))[:, None, None]).any(axis=2)
    chosen = mutual & (alike >= CLOSE)
    return {
        words[place]: tuple(words[one] for one in near[place][chosen[place]]) for place in np.flatnonzero(chosen.any(1))
    }

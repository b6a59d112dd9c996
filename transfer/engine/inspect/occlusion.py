"""Which words carried an answer: each is left out in turn, and the network asked again."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from transfer.engine.inspect.inside import Inside

WORD = re.compile(r"\S+")
MOST_WORDS = 160
PREDICTED = -1


@dataclass(frozen=True)
class Evidence:
    """What a network says of a text, and what each word does to it.

    Args:
        words: of the text, in order, at most `MOST_WORDS`.
        falls: by how much the class's probability falls without the word, -1 to 1; below 0: the word speaks against it.
            Of other ways to ask (`token_evidence`): what the word adds to the class's logit, or its share of attention.
        logits: of the whole text, shape (classes,).
        features: of the whole text, shape (d,).
    """

    words: list[str]
    falls: np.ndarray
    logits: np.ndarray
    features: np.ndarray


def evidence(inside: Inside, text: str, target: int = PREDICTED) -> Evidence:
    """Asks the network about the text with and without each of its words.

    It misleads where two words say the same: without one of them the other still carries the answer, and neither seems
    to matter. Words beyond those that the network reads always count 0.

    Args:
        inside: a network that reads texts.
        text: any; without words it is only answered.
        target: class whose probability is watched; by default the predicted one.

    Reference:
        Li, Monroe & Jurafsky 2016, Understanding neural networks through representation erasure, section 3; in
        probabilities instead of log-likelihoods.
    """
    found = list(WORD.finditer(text))[:MOST_WORDS]
    without = [text[: one.start()] + text[one.end() :] for one in found]
    features, logits = inside.features(np.array([text, *without], dtype=object))
    likely = np.exp(logits - logits.max(axis=1, keepdims=True))
    likely /= likely.sum(axis=1, keepdims=True)
    watched = likely[:, int(logits[0].argmax()) if target == PREDICTED else target]
    return Evidence([one.group() for one in found], watched[0] - watched[1:], logits[0], features[0])

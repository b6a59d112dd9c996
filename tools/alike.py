"""Keeps texts that say nearly the same from being chosen twice."""

from __future__ import annotations

import re

_MOST = 0.5


class Chosen:
    """What has been chosen so far."""

    def __init__(self) -> None:
        self.words: list[frozenset[str]] = []

    def takes(self, text: str) -> bool:
        """Whether at most half of its words are shared with any text before; such a text counts as chosen.

        Words in both texts are compared with words in either of them; capitals and marks do not matter.
        """
        words = frozenset(re.findall(r"\w+", text.lower()))
        if any(len(words & other) > _MOST * len(words | other) for other in self.words):
            return False
        self.words.append(words)
        return True

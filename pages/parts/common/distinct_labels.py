"""Labels for the options of a choice, no two of them the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def told_apart(keys: Iterable[Key], words: Callable[[Key], str]) -> dict[Key, str]:
    """A label for each key, followed by the key if several labels would be the same.

    Streamlit identifies a choice by its label: of two options with the same label, it would always take the last.
    """
    said = {key: words(key) for key in keys}
    often = Counter(said.values())
    return {key: one if often[one] == 1 else f"{one} ({key})" for key, one in said.items()}

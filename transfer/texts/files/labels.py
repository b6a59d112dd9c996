"""Class names from labels as people write them: blanks, case and numbers made alike."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_MISSING = frozenset({"", "nan", "null", "n/a", "na", "<na>", "#n/a", "\\n"})
_WHOLE = re.compile(r"([-+]?\d+)\.0+")
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?")


@lru_cache(maxsize=20_000)
def tidy(label: str) -> str:
    """The label without blanks and invisible signs around it, with single blanks inside; 5.0 is 5."""
    visible = "".join(one for one in label if unicodedata.category(one) not in ("Cc", "Cf") or one.isspace())
    plain = " ".join(unicodedata.normalize("NFC", visible).split())
    whole = _WHOLE.fullmatch(plain)
    return whole.group(1) if whole else plain


def is_missing(label: str) -> bool:
    """Whether a tidy label says that there is none."""
    return label.casefold() in _MISSING


@lru_cache(maxsize=20_000)
def key(label: str) -> str:
    """Equal for labels that differ only in case or blanks."""
    return tidy(label).casefold()


def classes(labels: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """The class of each key, in the classes' order, and sentences on spellings that were made one.

    The most common spelling names the class. Numbers come in their order, words in that of the alphabet.

    Args:
        labels: as written.
    """
    spelled: dict[str, Counter[str]] = {}
    for written, count in Counter(labels).items():
        spelled.setdefault(key(written), Counter())[written] += count
    names, said = {}, []
    for one, spellings in spelled.items():
        tidied: Counter[str] = Counter()
        for written, count in spellings.items():
            tidied[tidy(written)] += count
        names[one] = tidied.most_common(1)[0][0]
        if len(spellings) > 1 and len({_plain(written) for written in spellings}) > 1:
            shown = ", ".join(repr(written) for written in list(spellings)[:4])
            said.append(f"{shown} are read as one class: {names[one]}.")
    numbers = all(_NUMBER.fullmatch(one) for one in names)
    order = sorted(names, key=lambda one: (float(one) if numbers else 0.0, names[one]))
    return {one: names[one] for one in order}, said


def _plain(written: str) -> str:
    whole = _WHOLE.fullmatch(written.strip())
    return whole.group(1) if whole else written

"""Texts in twelve languages: what programs say to people, and names of places, currencies and languages."""

from __future__ import annotations

import gettext
import pickle
import random
import re
import unicodedata
from collections import Counter
from pathlib import Path

from tools.alike import Chosen

# Class names by language, and what each package calls it.
LANGUAGES = {
    "Czech": ("cs", "cs"),
    "Dutch": ("nl", "nl"),
    "English": ("en", "en"),
    "Finnish": ("fi", "fi"),
    "French": ("fr", "fr"),
    "German": ("de", "de"),
    "Hungarian": ("hu", "hu"),
    "Italian": ("it", "it"),
    "Polish": ("pl", "pl"),
    "Portuguese": ("pt_BR", "pt"),
    "Spanish": ("es", "es"),
    "Swedish": ("sv", "sv"),
}
_NO_SENTENCE = re.compile(r"[%{}<>\\\n\r\t\"\u201c\u201e\u00ab]|https?:")
_SHORTEST = 15
_KINDS = ("territories", "currency_names", "languages", "scripts")
_ODD_NAME = re.compile(r"[\d%{}]")


def _tidy(text: str) -> str:
    """With plain spaces, accents joined to their letters, and nothing that cannot be seen."""
    seen = "".join(
        one for one in unicodedata.normalize("NFC", text) if one.isspace() or unicodedata.category(one)[0] != "C"
    )
    return " ".join(seen.split())


def _translations(folders: list[Path], language: str) -> dict[str, str]:
    """Every message of the packages in that language, by its English text; the first translation counts."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob(f"locale/{language}/LC_MESSAGES/*.mo")):
            with path.open("rb") as file:
                known = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            for original, text in known.items():
                if isinstance(original, str) and "\x04" not in original:  # neither a plural nor told apart by context
                    found.setdefault(original, text)
    return found


def _sentence(text: str) -> bool:
    return len(text) >= _SHORTEST and " " in text.strip() and not _NO_SENTENCE.search(text)


def messages(folders: list[Path]) -> list[tuple[str, str, str]]:
    """Rows of part, class and text: the same messages in every language, no two of them nearly the same in English.

    Args:
        folders: the unpacked packages whose translations are read.
    """
    translated = {name: _translations(folders, code) for name, (code, _) in LANGUAGES.items() if name != "English"}
    common = sorted(set.intersection(*(set(one) for one in translated.values())))
    translated["English"] = {one: one for one in common}
    rows, taken, chosen = [], set(), Chosen()
    for original in common:
        several = {name: _tidy(translated[name][original]) for name in LANGUAGES}
        folded = {"".join(filter(str.isalnum, one.casefold())) for one in several.values()}
        fits = all(map(_sentence, several.values())) and len(folded) == len(LANGUAGES) and not folded & taken
        if fits and chosen.takes(original):
            taken |= folded
            rows += [("train", name, text) for name, text in several.items()]
    return sorted(rows, key=lambda row: row[1])


def names(data: Path, taken: set[str]) -> list[tuple[str, str, str]]:
    """Rows of part, class and text: names that no two of the languages share, equally many in each.

    Args:
        data: Babel's folder ``locale-data``.
        taken: texts that are in the other set.
    """
    found: dict[str, dict[str, str]] = {}
    for name, (_, code) in LANGUAGES.items():
        with (data / f"{code}.dat").open("rb") as file:
            known = pickle.load(file)
        several = [_tidy(text) for kind in _KINDS for text in known[kind].values() if isinstance(text, str)]
        found[name] = {one.casefold(): one for one in several if len(one) > 2 and not _ODD_NAME.search(one)}
    shared = Counter(folded for several in found.values() for folded in several)
    other = {one.casefold() for one in taken}
    own = {
        name: sorted(text for folded, text in several.items() if shared[folded] == 1 and folded not in other)
        for name, several in found.items()
    }
    fewest = min(map(len, own.values()))
    return [
        ("train", name, text)
        for name, several in own.items()
        for text in sorted(random.Random(name).sample(several, fewest))
    ]

"""Noun definitions of WordNet by topic, chosen so that no two of them say nearly the same."""

from __future__ import annotations

import random
import re
from itertools import islice
from pathlib import Path

from tools.alike import Chosen

# Class names by the number of the lexicographer file, see lexnames(5WN).
TOPICS = {
    4: "activity",
    5: "animal",
    8: "body part",
    10: "communication",
    26: "condition",
    13: "food",
    6: "man-made object",
    18: "person",
    15: "place",
    20: "plant",
    27: "substance",
    28: "time",
}
EACH = 600
_SHORTEST = 25
# Slurs, and what is not for every classroom.
_LEFT_OUT = re.compile(r"offensive|slur|obscen|vulgar|sexual|prostitut|genital|erotic|penis|vagina|copulat|derogatory")


def _definitions(nouns: Path) -> dict[str, list[str]]:
    """Definitions by topic in the file's order; names of individual persons and places are left out."""
    found: dict[str, list[str]] = {name: [] for name in TOPICS.values()}
    for line in nouns.read_text("utf-8").splitlines():
        if line.startswith("  "):  # the licence
            continue
        synset, gloss = line.split("|", 1)
        topic = TOPICS.get(int(synset.split(" ")[1]))
        if topic is None or " @i " in synset:
            continue
        definition = re.split(r';?\s*"', gloss.strip(), maxsplit=1)[0].strip().rstrip(";:,").strip()
        if len(definition) >= _SHORTEST and not _LEFT_OUT.search(definition):
            found[topic].append(" ".join(definition.split()))
    return found


def topics(nouns: Path) -> list[tuple[str, str, str]]:
    """Rows of part, class and text.

    Args:
        nouns: WordNet's ``data.noun``.
    """
    definitions = _definitions(nouns)
    seen: dict[str, set[str]] = {}
    for topic, several in definitions.items():
        for one in several:
            seen.setdefault(one, set()).add(topic)
    rows = []
    for topic, several in definitions.items():
        unique = [one for one in dict.fromkeys(several) if len(seen[one]) == 1]
        random.Random(topic).shuffle(unique)
        chosen = Chosen()
        rows += [("train", topic, one) for one in islice(filter(chosen.takes, unique), EACH)]
    return rows

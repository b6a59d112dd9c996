"""WordNet topics: which of twelve topics a dictionary's definition is about."""

from __future__ import annotations

from transfer.datasets import Dataset, Published
from transfer.datasets.shipped import shipped

_TOPICS = (
    "activity",
    "animal",
    "body part",
    "communication",
    "condition",
    "food",
    "man-made object",
    "person",
    "place",
    "plant",
    "substance",
    "time",
)


def _load() -> Published:
    return shipped("wordnet_topics", _TOPICS)


WORDNET_TOPICS = Dataset(
    key="wordnet_topics",
    title="WordNet topics",
    summary=(
        "7,200 definitions of English nouns, 600 for each of twelve topics, without the nouns themselves; "
        "from the dictionary WordNet 3.0."
    ),
    classes=_TOPICS,
    shape=(),
    count=7200,
    licence="WordNet 3.0",
    reference="[Miller 1995](https://doi.org/10.1145/219717.219748)",
    load=_load,
    modality="text",
    kept=True,
    warning=(
        "Definitions follow set phrases (the act of, a person who, any of several), and training and test set share "
        "them; accuracy on texts that are not definitions would be lower."
    ),
)

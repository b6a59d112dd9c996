"""Jane Austen: which of her six novels a passage is from."""

from __future__ import annotations

from transfer.datasets import Dataset, Published
from transfer.datasets.shipped import shipped

NOVELS = (
    "Sense and Sensibility",
    "Pride and Prejudice",
    "Mansfield Park",
    "Emma",
    "Northanger Abbey",
    "Persuasion",
)
TRAINED, TESTED = ("Austen, training chapters",), ("Austen, test chapters",)


def _load() -> Published:
    return shipped("austen", NOVELS)


AUSTEN = Dataset(
    key="austen",
    title="Austen",
    summary=(
        "2,880 passages of 40 to 80 words from Jane Austen's six novels, 480 each; every fourth chapter is kept for "
        "the test."
    ),
    classes=NOVELS,
    shape=(),
    count=2880,
    licence="public domain",
    reference="[janeaustenr](https://github.com/juliasilge/janeaustenr)",
    load=_load,
    modality="text",
    kept=True,
    drawn_from=TRAINED,
    tested_from=TESTED,
    warning=(
        "Names of persons and places give the novel away: logistic regression on words is right in 76 % of the test "
        "passages, and in 34 % when the names are replaced."
    ),
)

"""What the shipped tiny networks are pretrained on: English texts that are in none of the shipped data sets.

A network that has read a test text has an advantage that no label explains, and which texts are tested depends on a
run's seed. So everything that is in a data set, in whatever part, is left out here, and all that says nearly the same:
of WordNet a definition together with its word and examples, of Jane Austen every chapter that is kept for the test and
every passage of the others. What remains is of the same kind as these data sets, which is why it helps on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tools import texts_of_austen
from tools.read_r import string_vectors

_KINDS = ("noun", "verb", "adj", "adv")
_ALIKE = 0.5
_BLOCK = 2000
_WORD = r"(?u)\b\w+\b"


def entries(dictionary: Path) -> list[tuple[str, str]]:
    """Of each entry its definition, and its words, definition and examples as one text; in the dictionary's order.

    Args:
        dictionary: the folder with WordNet's ``data.noun``, ``data.verb``, ``data.adj`` and ``data.adv``.
    """
    found = []
    for kind in _KINDS:
        for line in (dictionary / f"data.{kind}").read_text("utf-8").splitlines():
            if line.startswith("  "):  # the licence
                continue
            synset, gloss = line.split("|", 1)
            fields = synset.split(" ")
            words = [re.sub(r"\(\w+\)$", "", fields[4 + 2 * place]) for place in range(int(fields[3], 16))]
            gloss = " ".join(gloss.split())
            definition = re.split(r';?\s*"', gloss, maxsplit=1)[0].strip().rstrip(";:,").strip()
            found.append((definition, f"{', '.join(words).replace('_', ' ')}: {gloss}"))
    return found


def passages(data: Path) -> list[str]:
    """The passages of Jane Austen's training chapters, in their order.

    Args:
        data: the folder of janeaustenr that holds ``Rdata.rdx`` and ``Rdata.rdb``.
    """
    novels = string_vectors(data)
    return [
        passage
        for name in texts_of_austen.NOVELS
        for place, chapter in enumerate(texts_of_austen._chapters(novels[name]))
        if place % 4 != 3
        for passage in texts_of_austen._passages(chapter)
    ]


def unlike(several: list[str], kept: Iterable[str]) -> np.ndarray:
    """Which of the texts share at most half of their words with every text of ``kept``, bool, shape (n,).

    Words in both are compared with words in either, as by `tools.alike.Chosen`; capitals and marks do not matter.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    counting = CountVectorizer(binary=True, dtype="float32", token_pattern=_WORD)
    theirs = counting.fit_transform(list(kept))
    mine = counting.transform(several)
    whole = re.compile(_WORD)
    sizes = np.array([max(1, len(set(whole.findall(one.lower())))) for one in several])
    others = np.asarray(theirs.sum(axis=1)).ravel()
    found = np.ones(len(several), dtype=bool)
    for begin in range(0, len(several), _BLOCK):
        shared = (mine[begin : begin + _BLOCK] @ theirs.T).tocoo()
        either = sizes[shared.row + begin] + others[shared.col] - shared.data
        found[shared.row[shared.data > _ALIKE * either] + begin] = False
    return found


def texts(wordnet: Path, austen: Path, kept: list[str]) -> list[str]:
    """Everything to pretrain on, neighbours in the books next to one another.

    Args:
        wordnet: folder with the unpacked package wordnet-base.
        austen: folder with the unpacked package r-cran-janeaustenr.
        kept: all texts of all shipped data sets.
    """
    defined = entries(wordnet / "usr/share/wordnet")
    alone = unlike([definition for definition, _ in defined], kept)
    found = [text for (_, text), free in zip(defined, alone, strict=True) if free]
    told = passages(austen / "usr/lib/R/site-library/janeaustenr/data")
    return found + [text for text, free in zip(told, unlike(told, kept), strict=True) if free]

"""Texts as the words of a fixed vocabulary, by the library tokenizers."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILL, UNKNOWN = 0, 1
FIRST = 2
# "didn't" is "did" and "nt", as the shipped vectors have it: else the negation would be lost.
_NOT = r"n['\u2019]t\b"
# Far more than any network reads: what lies behind is not looked at.
MOST_LETTERS_A_TOKEN = 40


def reader(words: Callable[[], Sequence[str]]) -> Callable[[Sequence[str], int], np.ndarray]:
    """A function from texts and a length to their words' numbers, int32, shape (n, length).

    A text is put into lower case and split into words and signs. Words that are not in the
    vocabulary have the number `UNKNOWN`, and so has a text without any word; `FILL` fills up.

    Args:
        words: gives the vocabulary, most frequent first; called when the first text is read.
    """

    @functools.cache
    def tokenizer(length: int) -> Tokenizer:
        made = _tokenizer(words())
        made.enable_truncation(length)
        made.enable_padding(length=length, pad_id=FILL, pad_token="[FILL]")
        return made

    def read(texts: Sequence[str], length: int) -> np.ndarray:
        return numbers(tokenizer(length), texts, length)

    return read


def numbers(tokenizer: Any, texts: Sequence[str], length: int) -> np.ndarray:
    """The tokens of texts by a tokenizer that cuts and fills up to ``length``, int32, shape (n, length)."""
    # The library knows no half of a surrogate pair.
    begun = [one[: length * MOST_LETTERS_A_TOKEN].encode("utf-8", "replace").decode() for one in texts]
    found = np.array([one.ids for one in tokenizer.encode_batch_fast(begun)], "int32").reshape(len(texts), length)
    found[found[:, 0] == FILL, 0] = UNKNOWN
    return found


def _tokenizer(words: Sequence[str]) -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

    numbered = {"[FILL]": FILL, "[UNKNOWN]": UNKNOWN}
    for word in words:
        numbered.setdefault(word, len(numbered))
    made = Tokenizer(models.WordLevel(numbered, unk_token="[UNKNOWN]"))
    plain = [normalizers.NFC(), normalizers.Lowercase(), normalizers.Replace(Regex(_NOT), " nt")]
    made.normalizer = normalizers.Sequence(plain)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made

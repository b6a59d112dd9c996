"""Texts as a row of bytes: what they give back, and what happens to text that is not quite text."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from transfer.texts.kept import Texts

ODD = ["", "a", "naïve café", "\x00 and \x1f", "\u202eright to left", "<b>bold</b>", "猫" * 1000, "a\nb\r\nc", "👩‍🚀"]


@given(some.lists(some.text(some.characters(exclude_categories=["Cs"]))))
def test_texts_come_back_as_they_were_given(texts: list[str]) -> None:
    kept = Texts.of(texts)
    assert list(kept) == texts and len(kept) == len(texts) and kept.shape == (len(texts),)
    order = np.random.default_rng(0).permutation(len(texts))
    assert list(kept[order]) == [texts[place] for place in order]
    assert list(kept[1:]) == texts[1:] and list(kept[np.ones(len(texts), bool)]) == texts


def test_equal_texts_have_equal_identities_and_others_do_not() -> None:
    assert Texts.of(ODD).identity == Texts.of(list(ODD)).identity
    assert Texts.of(["ab", "c"]).identity != Texts.of(["a", "bc"]).identity
    assert Texts.of(ODD)[[1, 0]].identity != Texts.of(ODD)[[0, 1]].identity


def test_half_of_a_surrogate_pair_is_no_text_and_becomes_a_question_mark() -> None:
    assert list(Texts.of(["a\ud83db"])) == ["a?b"]


def test_an_array_of_texts_holds_strings() -> None:
    array = np.asarray(Texts.of(ODD))
    assert array.dtype == object and array.tolist() == ODD

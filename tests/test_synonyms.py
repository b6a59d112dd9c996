"""Words replaced by words that are used alike: which they are, that others stay, and that the class is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests import tiny_texts
from transfer import catalog
from transfer.backbones import Backbone, glove, neighbours
from transfer.engine.samples import splits
from transfer.modalities.text import synonyms, working


@pytest.fixture(scope="module", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of their own, in which the neighbours are kept."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder))
        neighbours.near_words.cache_clear()
        neighbours.near_words()
        yield folder


def words() -> Backbone:
    """A backbone that reads GloVe's words."""
    return catalog.backbone("word_average")


def pieces(texts: Sequence[str], size: int) -> np.ndarray:
    """GloVe's words between marks, those of more than six letters as two tokens."""
    found = np.zeros((len(texts), size), "int32")
    for row, inner in zip(found, glove.tokens(texts, size), strict=True):
        whole = []
        for one in inner[inner != 0].tolist():
            long = one > 1 and len(glove.words()[one - 2]) > 6
            whole += [one, 30_000] if long else [one]
        row[: len(whole[: size - 2]) + 2] = [40_000, *whole[: size - 2], 40_001]
    return found


def test_near_words_are_near_both_ways_and_grammar_has_none() -> None:
    near = neighbours.near_words()
    rows = dict(zip(glove.words(), glove.vectors()[2:], strict=True))
    assert {"film", "doctor", "terrible"} <= set(near) and "movie" in near["film"]
    assert not {"not", "he", "no", "but", "with"} & set(near)
    assert len(near) > 3000 and max(map(len, near.values())) == neighbours.EACH
    for word, several in list(near.items())[:200]:
        for other in several:
            one, two = rows[word], rows[other]
            assert one @ two / np.linalg.norm(one) / np.linalg.norm(two) >= neighbours.CLOSE - 1e-5
            assert word != other and word in near.get(other, ())


def test_they_are_worked_out_once_and_a_damaged_file_is_worked_out_anew(home: Path) -> None:
    known = neighbours.near_words()
    (file,) = home.rglob("neighbours/*.json")
    neighbours.near_words.cache_clear()
    begun = time.perf_counter()
    assert neighbours.near_words() == known and time.perf_counter() - begun < 0.5
    file.write_text("{")
    neighbours.near_words.cache_clear()
    assert neighbours.near_words() == known and file.read_text() != "{"


def test_only_words_of_one_token_have_others_and_letters_have_none() -> None:
    whole, cut = synonyms.table(glove.tokens), synonyms.table(pieces)
    assert 0 < len(cut.known) < len(whole.known)
    spelled = [glove.words()[one - 2] for one in cut.known.tolist()]
    assert max(map(len, spelled)) <= 6 and not {30_000, 40_000, 40_001} & set(cut.others.ravel().tolist())
    assert len(synonyms.table(catalog.backbone("char_cnn").tokens).known) == 0  # type: ignore[arg-type]
    assert (np.diff(whole.known) > 0).all() and whole.counts.min() >= 1


def test_chosen_words_become_one_of_their_neighbours_and_nothing_else_changes() -> None:
    tokens = glove.tokens(["the doctor saw a terrible film .", "not a word here zzzq"], 10)
    table, near = synonyms.table(glove.tokens), neighbours.near_words()
    for seed in range(20):
        seen = synonyms.replaced(tokens, tokens != 0, np.random.default_rng(seed), table)
        assert seen.dtype == tokens.dtype
        for was, now in zip(tokens.ravel().tolist(), seen.ravel().tolist(), strict=True):
            before = glove.words()[was - 2] if was > 1 else ""
            assert now == was if before not in near else glove.words()[now - 2] in near[before]
    assert np.array_equal(synonyms.replaced(tokens, tokens < 0, np.random.default_rng(0), table), tokens)


def test_a_strong_view_replaces_about_a_tenth_and_the_weak_one_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = splits.split(catalog.dataset("wordnet_topics"), 0).validation.inputs
    tokens = glove.tokens(list(texts)[:300], 32)
    monkeypatch.setattr(working, "DROPPED", {"weak": 0.0, "strong": 0.0})
    monkeypatch.setattr(working, "SWAPPED", 0.0)
    seen, again = (working.view("strong", tokens, np.random.default_rng(0), words()) for _ in range(2))
    assert np.array_equal(seen, again)
    assert 0.05 < (seen != tokens).sum() / (tokens != 0).sum() < 0.15
    assert np.array_equal(working.view("weak", tokens, np.random.default_rng(0), words()), tokens)
    assert np.array_equal(working.view("strong", tokens, np.random.default_rng(0)), tokens)


def test_replaced_words_keep_the_class_where_random_ones_do_not() -> None:
    split = splits.split(catalog.dataset("wordnet_topics"), 0)
    known, asked = (glove.tokens(list(part.inputs), 32) for part in (split.train, split.validation))
    vectors = glove.vectors()

    def mean(tokens: np.ndarray) -> np.ndarray:
        rows = vectors[tokens]
        return np.asarray(rows.sum(axis=1) / np.maximum(rows.any(axis=2).sum(axis=1), 1)[:, None])

    centres = np.stack([mean(known)[split.train.labels == label].mean(axis=0) for label in range(12)])

    def nearest(tokens: np.ndarray) -> np.ndarray:
        return np.asarray(((mean(tokens)[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1))

    said, random = nearest(asked), np.random.default_rng(0)
    near = synonyms.replaced(asked, random.random(asked.shape) < 0.3, random, synonyms.table(glove.tokens))
    changed = near != asked
    any_word = np.where(changed, random.integers(2, glove.ROWS, asked.shape), asked)
    kept, lost = ((nearest(one) == said).mean() for one in (near, any_word))
    assert kept > 0.9 and kept > lost + 0.05


def test_a_network_of_made_up_tokens_is_varied_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_texts.add(monkeypatch)
    backbone = catalog.backbone(tiny_texts.NETWORK)
    tokens = tiny_texts.tokens(["my kettle came with one lid and a film by a doctor"], 16)
    seen = working.view("strong", tokens, np.random.default_rng(1), backbone)
    assert seen.shape == tokens.shape and (seen != 0).sum() <= (tokens != 0).sum()

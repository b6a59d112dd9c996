"""The texts that come with the lab: what each data set declares, and what a simple classifier makes of them."""

from __future__ import annotations

import gzip
import unicodedata
from functools import cache

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from pages.parts.choose.cards import facts
from tools import texts_of_austen, texts_of_wordnet
from tools.alike import Chosen
from transfer import catalog
from transfer.datasets import Published, Samples
from transfer.datasets.austen_nameless import without_names
from transfer.datasets.shipped import FOLDER, shipped
from transfer.errors import RequestError
from transfer.texts.kept import Texts

# Key, the most bytes its file may have, and a word of its licence.
SHIPPED = [
    ("wordnet_topics", 400_000, "Princeton University"),
    ("austen", 1_000_000, "public domain"),
    ("language_messages", 200_000, "Redistribution and use"),
    ("language_names", 200_000, "UNICODE LICENSE V3"),
]
KEYS = [key for key, *_ in SHIPPED] + ["austen_nameless"]


@cache
def published(key: str) -> Published:
    return catalog.dataset(key).load()


def parts(key: str) -> list[Samples]:
    found = published(key)
    return [part for part in (found.train, found.test, found.validation) if part is not None]


@pytest.mark.parametrize("key", KEYS)
def test_texts_and_labels_are_what_the_data_set_says(key: str) -> None:
    dataset = catalog.dataset(key)
    assert dataset.modality == "text" and dataset.shape == () and dataset.kept and not dataset.download_mb
    assert sum(map(len, parts(key))) == dataset.count
    for part in parts(key):
        assert isinstance(part.inputs, Texts) and part.labels.dtype == np.int64
        counts = np.bincount(part.labels, minlength=len(dataset.classes))
        assert (counts == len(part) / len(dataset.classes)).all()
    assert dataset.summary.endswith(".") and dataset.warning.endswith(".") and dataset.reference.startswith("[")
    assert len(set(dataset.classes)) == len(dataset.classes) and dataset.sample_sheet is None


@pytest.mark.parametrize("key", KEYS)
def test_no_text_is_empty_odd_or_twice_there(key: str) -> None:
    """So none has two labels, and none of the test part is in training."""
    texts = [one for part in parts(key) for one in part.inputs]
    assert len({one.casefold() for one in texts}) == len(texts)
    for one in texts:
        assert one == " ".join(one.split()) == unicodedata.normalize("NFC", one) and len(one) >= 2
        assert not {character for character in one if unicodedata.category(character)[0] == "C"}


@pytest.mark.parametrize("key", KEYS)
def test_loading_twice_gives_the_same_texts(key: str) -> None:
    again = catalog.dataset(key).load()
    for first, second in zip(parts(key), (again.train, again.test), strict=False):
        assert second is not None and first.inputs.identity == second.inputs.identity
        np.testing.assert_array_equal(first.labels, second.labels)


@pytest.mark.parametrize("key, most, words", SHIPPED, ids=KEYS[:4])
def test_files_are_small_and_their_licence_is_beside_them(key: str, most: int, words: str) -> None:
    assert (FOLDER / f"{key}.tsv.gz").stat().st_size < most
    assert words in (FOLDER / f"{key}.licence.txt").read_text()


def test_every_shipped_file_belongs_to_a_data_set() -> None:
    assert {path.name.partition(".")[0] for path in FOLDER.iterdir()} == {key for key, *_ in SHIPPED}


def test_numbers_in_the_summaries_are_counted() -> None:
    assert published("austen").test is not None
    assert np.bincount(published("language_messages").train.labels)[0] == 302
    assert np.bincount(published("language_names").train.labels)[0] == 607
    words = [len(one.replace(" \u2013 ", " ").split()) for part in parts("austen") for one in part.inputs]
    assert min(words) >= 40 and max(words) <= 80


def test_a_reader_gets_each_part_in_the_order_of_the_file(tmp_path, monkeypatch) -> None:
    rows = "train\tb\tone\ntest\ta\ttwo \u2013 \u00e9\ntrain\ta\tthree\n"
    (tmp_path / "tiny.tsv.gz").write_bytes(gzip.compress(rows.encode()))
    monkeypatch.setattr("transfer.datasets.shipped.FOLDER", tmp_path)
    found = shipped("tiny", ("a", "b"))
    assert list(found.train.inputs) == ["one", "three"] and found.train.labels.tolist() == [1, 0]
    assert found.test is not None and list(found.test.inputs) == ["two \u2013 \u00e9"]


def test_names_and_what_is_always_capital_are_marked() -> None:
    texts = ['Emma saw Mr Frank Churchill at Box Hill. "Oh! but I am sure," said Lady Anne. Frankly, Emma smiled.']
    assert without_names(texts, {"oh", "frankly"}) == [
        'Name saw Mr Name at Name. "Oh! but I am sure," said Name. Frankly, Name smiled.'
    ]


def test_a_text_that_shares_over_half_of_its_words_is_not_chosen_again() -> None:
    chosen = Chosen()
    assert chosen.takes("Add a page") and not chosen.takes("add a (page)") and not chosen.takes("add a page here")
    assert chosen.takes("add a document")  # two words of four


def test_passages_are_whole_sentences_that_do_not_overlap() -> None:
    sentence = "It rained, " + "and " * 29 + "Mr. Smith came."
    lines = ["preface", "CHAPTER I", "", *[sentence] * 5, "", "THE END", sentence]
    (chapter,) = texts_of_austen._chapters(lines)
    passages = list(texts_of_austen._passages(chapter))
    assert passages == [f"{sentence} {sentence}".replace("Mr.", "Mr")] * 2


def test_a_definition_loses_its_examples_and_names_of_individuals_are_left_out(tmp_path) -> None:
    lines = [
        "  1 licence",
        '00000001 05 n 01 cat 0 001 @ 2 n 0000 | an animal that lies in the sun; is fed; "it purrs; it sleeps"',
        "00000002 05 n 01 Tom 0 001 @i 2 n 0000 | the cat that lives in this house",
        "00000003 05 n 01 dog 0 001 @ 2 n 0000 | too short",
        "00000004 15 n 01 den 0 001 @ 2 n 0000 | a place where some animal hides from others",
        "00000005 05 n 01 den 0 001 @ 2 n 0000 | a place where some animal hides from others",
    ]
    (tmp_path / "data.noun").write_text("\n".join(lines))
    rows = texts_of_wordnet.topics(tmp_path / "data.noun")
    assert rows == [("train", "animal", "an animal that lies in the sun; is fed")]


def test_texts_are_not_changed_like_pictures() -> None:
    with pytest.raises(RequestError, match="Use austen as it is"):
        catalog.dataset("austen~noise:3")
    assert catalog.datasets().get("austen~noise:3") is None


def test_a_page_says_how_much_is_in_a_data_set_of_either_kind() -> None:
    assert facts(catalog.dataset("austen")) == "2,880 texts · 6 classes"
    assert facts(catalog.dataset("optdigits")) == "1,797 pictures · 10 classes · 28×28 grey"


class Classifier:
    """Weighted words or letters, and logistic regression."""

    def __init__(self, train: Samples, **words) -> None:
        self.vectorizer = TfidfVectorizer(sublinear_tf=True, **words)
        self.model = LogisticRegression(C=10, solver="saga", tol=1e-2, max_iter=200, random_state=0)
        self.model.fit(self.vectorizer.fit_transform(train.inputs), train.labels)

    def accuracy(self, test: Samples | None) -> float:
        assert test is not None
        return float(self.model.score(self.vectorizer.transform(test.inputs), test.labels))


def halves(samples: Samples) -> tuple[Samples, Samples]:
    """A part to learn from and a quarter to be tested with."""
    train, test = train_test_split(np.arange(len(samples)), test_size=0.25, random_state=0, stratify=samples.labels)
    return samples.take(train), samples.take(test)


def test_topics_of_definitions_can_be_told_by_their_words() -> None:
    train, test = halves(published("wordnet_topics").train)
    assert 0.72 < Classifier(train).accuracy(test) < 0.82


def test_novels_are_told_by_names_more_than_by_style() -> None:
    named, nameless = published("austen"), published("austen_nameless")
    by_names, by_style = Classifier(named.train), Classifier(nameless.train)
    assert 0.70 < by_names.accuracy(named.test) < 0.80
    assert 0.28 < by_style.accuracy(nameless.test) < 0.45  # chance: 0.17
    assert by_names.accuracy(nameless.test) < by_style.accuracy(nameless.test) + 0.02


def test_a_language_is_told_within_a_kind_of_text_and_less_well_in_the_other() -> None:
    assert catalog.dataset("language_messages").classes == catalog.dataset("language_names").classes
    messages, names = published("language_messages").train, published("language_names").train
    known, asked = halves(messages)
    learned, other = halves(names)
    letters = {"analyzer": "char_wb", "ngram_range": (1, 3)}
    by_messages, by_names = Classifier(known, **letters), Classifier(learned, **letters)
    assert by_messages.accuracy(asked) > 0.93 and 0.74 < by_names.accuracy(other) < 0.88
    assert 0.43 < by_messages.accuracy(other) < 0.63
    assert Classifier(known).accuracy(other) < 0.25  # by whole words: names hold few words that messages do


def test_the_two_kinds_of_text_share_none() -> None:
    messages, names = ({one.casefold() for one in published(f"language_{kind}").train.inputs}
                       for kind in ("messages", "names"))  # fmt: skip
    assert not messages & names

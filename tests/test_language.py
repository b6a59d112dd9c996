"""What a language model is asked, what it learns from it, and that no test text is ever among what it reads."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests import tiny, tiny_texts
from tools import texts_of_pretraining
from transfer import Experiment, catalog, settings, train
from transfer.backbones import tiny_bert
from transfer.engine.events import Baseline, Event
from transfer.engine.loop.leg import Leg
from transfer.engine.samples.splits import target_split
from transfer.errors import ImpossibleExperiment, RunFailed
from transfer.modalities.text import transformer
from transfer.modalities.text.language import following, masked
from transfer.strategies import Setting
from transfer.strategies.language_model_first import LanguageModelFirst, guessed

MASK, WORDS = 4, 50


def test_fifteen_in_a_hundred_are_asked_and_eight_in_ten_of_them_hidden() -> None:
    random = np.random.default_rng(0)
    tokens = random.integers(MASK + 1, WORDS, (2000, 40)).astype("int32")
    tokens[:, 0], tokens[:, 30], tokens[:, 31:] = 2, 3, 0
    before = tokens.copy()
    fed, asked = masked(tokens, random, MASK, WORDS)
    assert np.array_equal(tokens, before) and fed.dtype == asked.dtype == np.int32 and asked.shape == (2000, 6, 2)
    places, answers = asked[..., 0], asked[..., 1]
    assert ((answers > 0).sum(axis=1) == round(0.15 * 29)).all(), "of 29 tokens four are asked; marks do not count"
    there = answers > 0
    assert (np.take_along_axis(tokens, places, 1) == answers)[there].all(), "the answer is what stood there"
    assert np.array_equal((fed != tokens).any(axis=1), (fed != tokens).any(axis=1) & there.any(axis=1))
    shown = np.take_along_axis(fed, places, 1)[there]
    answers = answers[there]
    assert abs((shown == MASK).mean() - 0.8) < 0.02
    other = (shown != MASK) & (shown != answers)
    assert abs(other.mean() - 0.1 * 44 / 45) < 0.015 and (shown[other] > MASK).all()
    assert abs((shown == answers).mean() - 0.1) < 0.015
    untouched = np.ones_like(tokens, dtype=bool)
    np.put_along_axis(untouched, places, ~there, 1)
    assert np.array_equal(fed[untouched], tokens[untouched]), "nothing else is changed"
    places_of_marks = np.isin(places[there], [0, 30])
    assert not places_of_marks.any()


def test_a_short_text_is_asked_one_token_and_an_empty_one_none() -> None:
    tokens = np.array([[2, 9, 3, 0, 0, 0, 0, 0], [2, 3, 0, 0, 0, 0, 0, 0]], "int32")
    _, asked = masked(tokens, np.random.default_rng(1), MASK, WORDS)
    assert asked.tolist()[0] == [[1, 9]] and asked[1, :, 1].tolist() == [0]


def test_the_next_token_is_asked_of_every_place_that_has_one() -> None:
    tokens = np.array([[5, 6, 7, 0]], "int32")
    fed, asked = following(tokens)
    assert fed.tolist() == tokens.tolist() and asked.tolist() == [[[0, 6], [1, 7], [2, 0]]]


def test_a_guess_is_scored_as_by_hand() -> None:
    rows = np.array([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]], "float32")
    table = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], "float32")
    asked = np.array([[[0, 1], [1, 1], [2, 0]]], "int32")
    cross, right = guessed(rows, table, asked)
    by_hand = [np.log(2 + np.e) - 1, np.log(2 + np.exp(2))]
    assert float(cross) == pytest.approx(np.mean(by_hand), rel=1e-5) and float(right) == 0.5
    nothing = guessed(rows, table, np.zeros((1, 2, 2), "int32"))
    assert [float(one) for one in nothing] == [0.0, 0.0]


def test_the_gradient_reaches_the_table_as_input_and_as_output_and_every_block() -> None:
    keras.utils.set_random_seed(0)
    stages = [transformer.embedding(8, 20, 8, 8, "embedding"), transformer.block(8, 8, 2, 16, "block1")]
    tokens = np.array([[2, 9, 10, 11, 12, 3, 0, 0]], "int32")
    asked = np.array([[[2, 15]]], "int32")

    class Asks(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.several = stages

        def call(self, inputs: np.ndarray) -> object:
            for stage in self.several:
                inputs = stage(inputs)
            return inputs

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):  # type: ignore[no-untyped-def]
            return guessed(y_pred, self.several[0].trainable_variables[0], y)[0]

    model = Asks()
    model.compile(keras.optimizers.SGD(1.0))
    before = [np.array(one) for stage in stages for one in stage.trainable_variables]
    model.train_on_batch(tokens, asked)
    after = [np.array(one) for stage in stages for one in stage.trainable_variables]
    moved = np.abs(after[0] - before[0]).sum(axis=1)
    assert moved[9] > 0, "a token that was read"
    assert moved[15] > 0 and moved[19] > 0, "the answer, and a word that was not"
    named = [one.path for stage in stages for one in stage.trainable_variables]
    # A key's bias adds the same to all scores of a row, which softmax does not see.
    still = [name for name, one, then in zip(named, after, before, strict=True) if np.array_equal(one, then)]
    assert all("key/bias" in name for name in still)


# The shipped network -------------------------------------------------------------------------------------


def tried(pretrained: bool, texts: list[str]) -> tuple[np.ndarray, tuple[float, float], np.ndarray]:
    """Features of these texts, loss and share guessed right, and the tokens asked; weights shipped or random."""
    keras.utils.set_random_seed(0)
    stages = tiny_bert.build(24)
    if pretrained:
        tiny_bert.load(stages)
    tokens = tiny_bert.tokens(texts, 24)
    fed, asked = masked(tokens, np.random.default_rng(0), tiny_bert.MASK, tiny_bert.WORDS)
    flowing = fed
    for stage in stages[:-1]:
        flowing = stage(flowing, training=False)
    cross, right = guessed(flowing, stages[0].trainable_variables[0], asked)
    return np.array(keras.Sequential(stages)(tokens)), (float(cross), float(right)), asked[..., 1]


def test_pretrained_it_guesses_words_and_tells_topics_apart_better_than_at_random() -> None:
    samples = catalog.dataset("wordnet_topics").load().train
    order = np.random.default_rng(0).permutation(len(samples))[:480]
    texts, labels = [samples.inputs[int(place)] for place in order], samples.labels[order]
    shipped, scores, asked = tried(True, texts)
    random, blind, _ = tried(False, texts)
    counts = np.bincount(asked[asked > 0])
    share = counts[counts > 0] / counts.sum()
    assert scores[0] < -np.sum(share * np.log(share)) + 0.5 < blind[0] - 0.5, "near what knowing the frequencies gives"
    assert scores[1] > 1.5 * share.max(), "it guesses more than the most frequent token"
    known = np.arange(480) < 240
    right = {
        name: LogisticRegression(max_iter=500).fit(found[known], labels[known]).score(found[~known], labels[~known])
        for name, found in {"shipped": shipped, "random": random}.items()
    }
    assert right["shipped"] > right["random"] + 0.15 and right["shipped"] > 0.4, right


def test_marks_in_a_text_are_letters_and_its_weights_are_the_shipped_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = tiny_bert.tokens(["a [MASK] b [PAD]"], 24)
    assert row[0] == 2 and not np.isin(row[1:][row[1:] > 0], [0, 2, tiny_bert.MASK]).any()
    assert np.array_equal(tiny_bert.tokens(["Café"], 8), tiny_bert.tokens(["cafe"], 8))
    tiny_bert.held.cache_clear()
    monkeypatch.setattr(tiny_bert, "DIGEST", "another")
    with pytest.raises(RunFailed, match="damaged.*git checkout"):
        tiny_bert.load(tiny_bert.build(8))


def test_texts_of_the_data_sets_and_what_says_nearly_the_same_are_not_read(tmp_path: Path) -> None:
    topics = catalog.dataset("wordnet_topics").load().train
    known = next(text for text in topics.inputs if len(text.split()) > 7)
    nearly = known.upper() + " indeed"
    lines = [
        f"0000{place} 03 n 01 thing{place} 0 000 | {text}"
        for place, text in enumerate([known, nearly, "a quite other gloss"])
    ]
    for kind in ("noun", "verb", "adj", "adv"):
        (tmp_path / f"data.{kind}").write_text("\n".join(["  1 licence", *(lines if kind == "noun" else [])]) + "\n")
    entries = texts_of_pretraining.entries(tmp_path)
    assert [definition for definition, _ in entries] == [known, nearly, "a quite other gloss"]
    assert entries[2][1] == "thing2: a quite other gloss"
    free = texts_of_pretraining.unlike([definition for definition, _ in entries], list(topics.inputs))
    assert free.tolist() == [False, False, True]


def test_no_chapter_of_the_test_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def chapter(number: int) -> list[str]:
        return [f"Chapter {number}", "", " ".join([f"word{number}"] * 49) + " end.", ""]

    novel = [line for number in range(1, 9) for line in chapter(number)]
    monkeypatch.setattr(texts_of_pretraining, "string_vectors", lambda data: dict.fromkeys(
        texts_of_pretraining.texts_of_austen.NOVELS, novel))  # fmt: skip
    told = texts_of_pretraining.passages(tmp_path)
    assert {one.split()[0] for one in told} == {f"word{number}" for number in (1, 2, 3, 5, 6, 7)}


# The strategy ---------------------------------------------------------------------------------------------

FIRST = Experiment(
    target=tiny_texts.TARGET,
    backbone=tiny_texts.GUESSER,
    source=tiny_texts.SOURCE,
    source_epochs=1,
    strategy="language_model_first",
    epochs=4,
    labels_per_class=3,
    batch_size=16,
    seed=1,
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The tiny texts in the catalog, and a home of its own."""
    tiny_texts.add(monkeypatch)
    tiny.quick()
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    return tmp_path


def test_it_reads_training_texts_only_and_their_labels_never(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = FIRST.but(options={"share": 0.5})
    read: list[np.ndarray] = []
    plain = Leg.batches

    def batches(leg: Leg, *given: int):  # type: ignore[no-untyped-def]
        for inputs, labels in plain(leg, *given):
            if leg.phase.unlabelled:
                assert labels == {} and set(inputs) == {"places", "language", "asked"}
                whole = inputs["language"].copy()
                places, answers = inputs["asked"][..., 0], inputs["asked"][..., 1]
                before = np.take_along_axis(whole, places, 1)
                np.put_along_axis(whole, places, np.where(answers > 0, answers, before), 1)
                read.extend(whole)
            yield inputs, labels

    monkeypatch.setattr(Leg, "batches", batches)
    events: list[Event] = []
    result = train(asked, emit=events.append, folder=settings.run_folder("read"))
    assert [one.name for one in events if isinstance(one, Baseline)] == ["bag of words"], "labels are learned later"
    split = target_split(asked)
    parts = {"unlabelled": split.unlabelled, "validation": split.validation.inputs, "test": split.test.inputs}
    texts = {
        name: {tuple(one) for one in tiny_texts.above_mask(list(given), tiny_texts.TOKENS)}
        for name, given in parts.items()
    }
    seen = {tuple(one) for one in read}
    assert seen == texts["unlabelled"] and len(seen) > 3 * len(split.train)
    assert not seen & (texts["validation"] | texts["test"])
    curve = result.history[(result.history.domain == "target") & result.history.language_model.notna()]
    assert np.isfinite(curve.language_model).all() and curve.epoch.max() <= 2
    assert curve.language_model.iloc[-4:].mean() < curve.language_model.iloc[:4].mean(), "it has learned to guess"
    assert curve.guessed_share.between(0, 1).all()
    later = result.history[(result.history.domain == "target") & (result.history.split == "train")]
    assert later[later.language_model.isna()].accuracy.notna().all(), "then labels are learned"


def test_what_it_read_without_labels_is_known_to_the_runs_that_go_on_from_it(small: Path) -> None:
    train(FIRST.but(epochs=2), folder=settings.run_folder("read"))
    taken = catalog.backbone("run:read")
    assert taken.language == "masked" and (taken.mask, taken.words) == (tiny_texts.MASK, tiny_texts.WORDS + 1)
    assert any(one.unlabelled for one in taken.trained_on if one.data == tiny_texts.TARGET)
    with pytest.raises(ImpossibleExperiment, match="test texts"):
        train(FIRST.but(backbone="run:read", source=None, seed=2))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"target": "optdigits", "backbone": "efficientnet_lite0"}, "language model.*EfficientNet-Lite0.*tiny_bert"),
        ({"target": "optdigits", "backbone": "small_cnn", "source": "mnist_5k"}, "language model.*Small CNN"),
        ({"target": "austen", "backbone": "word_average"}, "language model.*Mean of word vectors.*tiny_bert"),
        ({"target": "austen", "backbone": "text_cnn"}, "language model"),
        ({"target": "optdigits", "backbone": "tiny_bert"}, "reads texts, but optdigits has pictures"),
        ({"target": "austen", "backbone": "tiny_bert", "labels_per_class": 0}, "there are none"),
        ({"target": "austen", "backbone": "tiny_bert", "intake": {"tokens": 128}}, "at most 96 tokens"),
        ({"target": "austen", "backbone": "tiny_bert", "options": {"share": 1.5}}, "share"),
        ({"target": "austen", "backbone": "tiny_bert", "options": {"then": "lora"}}, "then"),
    ],
)
def test_it_refuses_in_words_what_has_no_language_model(fields: dict[str, object], words: str) -> None:
    with pytest.raises(Exception, match=f"(?s){words}"):
        catalog.check(Experiment(strategy="language_model_first").but(**fields))


def test_a_single_epoch_is_spent_reading_and_two_are_shared() -> None:
    for epochs, expected in ((1, [1]), (2, [1, 1]), (10, [3, 2, 5])):
        phases = LanguageModelFirst().phases(Setting(("embedding", "block1"), epochs, None, False))
        assert [phase.epochs for phase in phases] == expected
    assert phases[0].terms.keys() == {"language_model", "guessed_share"} and not phases[1].terms

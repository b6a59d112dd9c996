"""What a run on texts says of a text: its words left out one by one, its neighbours, its data set before training."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import tiny, tiny_texts
from transfer import Experiment, catalog, settings, train
from transfer.datasets import Published, Samples
from transfer.engine.inspect.dataset_facts import look
from transfer.errors import ImpossibleExperiment
from transfer.export import keras_file
from transfer.lab import answers, opened_runs, set_answers
from transfer.modalities.text import identity, working
from transfer.modalities.text import look as texts
from transfer.texts.kept import Texts


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A finished run on tiny texts, in a home of its own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        tiny_texts.add(patch)
        tiny.quick()
        patch.setenv("TRANSFER_HOME", str(home))
        asked = Experiment(
            target=tiny_texts.TARGET, backbone=tiny_texts.NETWORK, strategy="from_scratch", epochs=20, batch_size=10
        )
        train(asked, folder=settings.run_folder("texts"))
        yield str(home)


@pytest.fixture(autouse=True)
def at_home(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_HOME", run)


def test_the_words_that_tell_the_classes_apart_carry_the_answer() -> None:
    found = answers.read("texts", "my kettle came with a lid , superb and lovely")
    assert tiny_texts.CLASSES[int(found["probabilities"].argmax())] == "good"
    assert found["probabilities"].sum() == pytest.approx(1)
    falls = dict(zip(found["words"], found["falls"].tolist(), strict=True))
    assert set(sorted(falls, key=lambda word: -falls[word])[:2]) == {"superb", "lovely"}
    assert len(found["texts"]) == len(found["labels"]) == len(found["alike"]) == 6
    assert list(found["alike"]) == sorted(found["alike"], reverse=True)


@pytest.mark.parametrize("text", ["", "   ", "superb " * 5000, "\x00\u202e", "<script>alert(1)</script>", "👩‍🚀" * 50])
def test_any_text_is_answered(text: str) -> None:
    found = answers.read("texts", text)
    assert np.isfinite(found["probabilities"]).all() and np.isfinite(found["falls"]).all()
    assert len(found["words"]) == len(found["falls"]) <= 160


def test_a_text_of_the_test_set_is_explained_before_and_after_training() -> None:
    after = answers.evidence("texts", 0)
    assert after["words"] == answers.pictures("texts", [0])["inputs"][0].split()
    assert after["probabilities"].sum() == pytest.approx(1)
    assert answers.evidence("texts", 0, start=True)["probabilities"] is None, "a new head has learned no class"
    with pytest.raises(answers.RequestError, match="no such sample"):
        answers.evidence("texts", 10_000)


def test_what_moved_and_the_plane_are_known_of_texts_too() -> None:
    moved = set_answers.moved("texts")
    assert set(moved["distances"]) == set(tiny_texts.STAGES) and moved["count"] == 36
    plane = set_answers.embedded("texts", "pca")
    assert plane["start"].shape == plane["end"].shape == (36, 2)
    assert float(plane["agree_end"]) > 0.6


def test_a_network_for_texts_is_not_exported_without_its_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(ImpossibleExperiment, match="tokenizer"):
        keras_file.write("texts", tmp_path / "network.keras")
    assert not list(tmp_path.iterdir())


# A data set of texts --------------------------------------------------------------------------------


def test_a_data_set_of_texts_shows_samples_lengths_and_the_words_that_mark_a_class(tmp_path: Path) -> None:
    found = look(catalog.dataset(tiny_texts.TARGET), 0, tmp_path)
    assert sum(map(sum, found["counts"].values())) == 120 and len(found["fingerprint"]) == 64
    for label, name in enumerate(tiny_texts.CLASSES):
        assert set(tiny_texts.TELLING[name].split()) == set(found["telling"][label][:4])
        assert 1 <= len(found["samples"][label]) <= 4
    assert min(found["lengths"]) >= 7 and max(found["lengths"]) <= 15
    assert found["pair_counts"]["same"] == 0


def looked(train: list[str], test: list[str]) -> dict[str, object]:
    def part(several: list[str]) -> Samples:
        return Samples(Texts.of(several), np.arange(len(several)) % 2)

    parts = {"train": part(train), "validation": part([]), "test": part(test)}
    dataset = catalog.dataset(tiny_texts.TARGET)
    return texts.look(dataset, parts, Path())


def test_equal_and_nearly_equal_texts_are_found_across_the_split() -> None:
    long = "a long sentence about kettles lids cables manuals boiling water every morning in the kitchen"
    found = looked([long, "something else entirely", "Same  words"], [long.replace("kitchen", "pantry"), "same words"])
    assert found["pair_counts"] == {"same": 1, "near": 1, "across": 2, "clash": 1}
    assert [one["parts"] for one in found["pairs"]] == [["train", "test"]] * 2  # type: ignore[attr-defined]


def test_texts_without_a_word_are_no_trouble() -> None:
    found = looked(["", "!", "?"], ["."])
    assert found["vocabulary"] == 0 and found["telling"] == [[], [], []]


# Views ----------------------------------------------------------------------------------------------

TOKENS = np.array(
    [[5, 6, 7, 8, 9, 10, 11, 12, 0, 0], [5, 6, 0, 0, 0, 0, 0, 0, 0, 0], [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]], "int32"
)


@pytest.mark.parametrize("name", ["weak", "strong"])
def test_a_view_leaves_out_tokens_and_keeps_the_first_and_last(name: str) -> None:
    kept = np.zeros(3)
    for seed in range(200):
        seen = working.view(name, TOKENS, np.random.default_rng(seed))
        assert seen.shape == TOKENS.shape and seen.dtype == TOKENS.dtype
        for row, whole in zip(seen, TOKENS, strict=True):
            words, before = row[row != 0], whole[whole != 0]
            assert np.all(row[len(words) :] == 0), "what is filled up stands at the end"
            assert set(words) <= set(before) and len(set(words)) == len(words)
            assert (words[0], words[-1]) == (before[0], before[-1])
        kept += (seen != 0).sum(axis=1)
    shares = kept / 200 / (TOKENS != 0).sum(axis=1)
    assert shares[0] == pytest.approx(1 - working.DROPPED[name] * 6 / 8, abs=0.04) and shares[1] == shares[2] == 1


def test_views_repeat_themselves_and_the_plain_one_is_the_text() -> None:
    assert working.view("plain", TOKENS, np.random.default_rng(0)) is TOKENS
    one, other = (working.view("strong", TOKENS, np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, other) and not np.array_equal(one, TOKENS)


# A data set that has changed since ---------------------------------------------------------------------


def test_texts_that_are_gone_since_are_said_to_be_gone_and_the_others_are_the_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = list(answers.pictures("texts", list(range(36)))["inputs"])
    dataset = catalog.dataset(tiny_texts.TARGET)
    whole = dataset.load().train
    left = np.array([place for place, text in enumerate(whole.inputs) if text not in before[:3]])[::-1]
    monkeypatch.setitem(
        catalog.datasets(), tiny_texts.TARGET, replace(dataset, load=lambda: Published(whole.take(left)))
    )
    monkeypatch.setattr(opened_runs, "_open", OrderedDict())
    now = list(answers.pictures("texts", list(range(36)))["inputs"])
    assert now[:3] == [identity.GONE] * 3 and now[3:] == before[3:]
    assert list(identity.there(opened_runs.opened("texts").split.test.inputs)) == list(range(3, 36))

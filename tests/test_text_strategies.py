"""Every strategy on texts: the contract that they keep on pictures, or a reason in words why they cannot be used."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import tiny, tiny_texts
from tests.spied import without_target_labels
from transfer import Experiment, catalog, settings, train
from transfer.datasets import Published, Samples
from transfer.engine.events import Baseline, Event, PhaseBegan
from transfer.engine.inspect import rebuilt
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.samples import arrays, splits
from transfer.errors import ImpossibleExperiment
from transfer.modalities.text import working
from transfer.seen.prints import digest, of_texts
from transfer.strategies import Strategy
from transfer.texts.kept import Texts

SMALL = Experiment(
    target=tiny_texts.TARGET,
    source=tiny_texts.SOURCE,
    backbone=tiny_texts.NETWORK,
    source_epochs=6,
    epochs=2,
    labels_per_class=5,
    batch_size=15,
    seed=3,
)
ATTENDING = dict.fromkeys(("prompt_tuning", "prefix_tuning"), "attention between tokens.*minilm")
REFUSED = {"attention_transfer": "stages with rows and columns", **ATTENDING}
# Strategies that move statistics or single parameters, whose stages move without their kernels.
PARTLY = ("norm_tuning", "bitfit", "tent", "adabn")


@pytest.fixture(scope="module", autouse=True)
def learned(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The tiny texts are in the catalog, and their source has been learned."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        tiny_texts.add(patch)
        tiny.quick()
        patch.setenv("TRANSFER_HOME", str(folder))
        warm_up(lambda: True)
        train(SMALL.but(strategy="feature_extraction"))
        yield folder


@pytest.fixture(autouse=True)
def at_home(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRANSFER_HOME where it is known."""
    monkeypatch.setenv("TRANSFER_HOME", str(learned))


@pytest.mark.parametrize("strategy", catalog.strategies().values(), ids=lambda one: one.key)
def test_a_strategy_learns_texts_or_says_why_it_cannot(
    strategy: type[Strategy], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = tiny_texts.GUESSER if "language" in strategy.needs else tiny_texts.NETWORK
    labels = 0 if strategy.unlabelled else 5
    asked = SMALL.but(strategy=strategy.key, backbone=network, labels_per_class=labels)
    if strategy.key in REFUSED:
        with pytest.raises(ImpossibleExperiment, match=REFUSED[strategy.key]):
            train(asked)
        return
    if strategy.unlabelled:
        without_target_labels(strategy, monkeypatch)
    events: list[Event] = []
    result = train(asked, emit=events.append, folder=tmp_path)
    assert result.state == "finished" and result.metrics["test_count"] == 36
    learned = result.history[(result.history.split == "train") & (result.history.domain == "target")]
    assert np.isfinite(learned.loss).all() and len(learned) or strategy.key in ("zero_shot_names", "unchanged")
    phases = [one for one in events if isinstance(one, PhaseBegan) and one.domain == "target"]
    last = result.history[(result.history.domain == "target") & (result.history.split == "validation")].iloc[-1]
    for stage in phases[-1].moves:
        touched = any(phase.moves[stage] > 0 for phase in phases)
        touched = touched and (strategy.key, stage) != ("lora", "words")  # which has no kernel
        assert (last[f"moved:{stage}"] > 0) == touched or strategy.key in PARTLY
        assert touched or last[f"moved:{stage}"] == 0


def test_33_of_the_strategies_work_on_texts() -> None:
    assert len(catalog.strategies()) - len(REFUSED) >= 33


def test_what_was_learned_of_one_domain_helps_in_the_other() -> None:
    known = train(SMALL.but(strategy="source_only", labels_per_class=0)).metrics["test_accuracy"]
    scratch = train(SMALL.but(strategy="from_scratch", labels_per_class=1)).metrics["test_accuracy"]
    assert known > 0.6 > scratch + 0.1


def test_a_run_on_texts_repeats_itself() -> None:
    asked = SMALL.but(strategy="fixmatch", labels_per_class=0)
    first, again = (train(asked).history[["step", "loss"]].reset_index(drop=True) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_the_network_of_a_run_on_texts_is_a_backbone_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(SMALL.but(target=tiny_texts.SOURCE, source=None, strategy="from_scratch"), folder=settings.run_folder("one"))
    taken = catalog.backbone("run:one")
    assert (taken.modality, taken.size, taken.classes) == ("text", tiny_texts.TOKENS, tiny_texts.CLASSES)
    assert taken.tokens is not None and np.array_equal(
        taken.tokens(["a lovely kettle"], 16), tiny_texts.tokens(["a lovely kettle"], 16)
    )
    result = train(SMALL.but(backbone="run:one", source=None, strategy="fine_tuning"))
    assert result.state == "finished"


def test_the_length_in_tokens_is_part_of_the_experiment() -> None:
    short = SMALL.but(strategy="feature_extraction", intake={"tokens": 8})
    assert short.fingerprint != SMALL.but(strategy="feature_extraction").fingerprint
    assert train(short).state == "finished"
    with pytest.raises(ImpossibleExperiment, match="no size in pixels"):
        catalog.check(SMALL.but(image_size=32))


def test_a_bag_of_words_is_the_line_a_network_has_to_pass() -> None:
    events: list[Event] = []
    result = train(SMALL.but(strategy="feature_extraction", labels_per_class=1), emit=events.append)
    lines = {one.name: one.accuracy for one in events if isinstance(one, Baseline)}
    assert set(lines) == {"1 nearest", "bag of words"}
    assert 1 / 3 < lines["bag of words"] <= 1
    # Counted words of the labels that the run was given, and of no others.
    assert lines["bag of words"] < working.baseline(*(everything(part) for part in ("train", "validation")))[1]
    assert result.state == "finished"
    without: list[Event] = []
    train(SMALL.but(strategy="source_only", labels_per_class=0), emit=without.append)
    assert not [one for one in without if isinstance(one, Baseline)], "without labels there are no words to count"


def everything(part: str) -> Samples:
    """A part of the target with all its labels."""
    found: Samples = getattr(splits.split(catalog.dataset(tiny_texts.TARGET), SMALL.seed), part)
    return found


def test_a_network_that_has_learned_test_texts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    train(SMALL.but(source=None, strategy="from_scratch", labels_per_class=None), folder=settings.run_folder("seen"))
    again = SMALL.but(backbone="run:seen", source=None, strategy="fine_tuning")
    assert train(again).state == "finished", "on the same split it has seen training texts only"
    with pytest.raises(ImpossibleExperiment, match="test texts"):
        train(again.but(seed=4))


def test_a_text_that_is_there_again_in_other_case_stays_in_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"word{place} and more" for place in range(60)]
    both = Samples(
        Texts.of([*texts, *(one.upper().replace(" ", "  ") for one in texts)]), np.tile(np.arange(60) % 2, 2)
    )
    dataset = replace(catalog.dataset(tiny_texts.TARGET), key="twice", classes=("a", "b"), load=lambda: Published(both))
    monkeypatch.setitem(catalog.datasets(), "twice", dataset)
    for seed in range(3):
        found = splits.split(dataset, seed)
        parts = [
            {one.lower().split()[0] for one in getattr(found, name).inputs} for name in ("train", "validation", "test")
        ]
        assert len(set.union(*parts)) == sum(map(len, parts)) == 60


def test_texts_are_known_by_what_they_say_in_every_process() -> None:
    first, other = of_texts(["A  b", "c"]), of_texts(Texts.of(["a b", "C ", "d"]))
    assert first.pixels.tolist() == other.pixels[:2].tolist() == [
        digest(b"a b"), digest(b"c"),
    ]  # fmt: skip
    assert other.among(first).tolist() == [True, True, False]


@pytest.mark.parametrize("strategy", ["feature_extraction", "lora"])
def test_stages_that_begin_at_random_are_the_runs_own_when_it_is_opened_again(strategy: str) -> None:
    folder = settings.run_folder(f"cnn-{strategy}")
    train(SMALL.but(source=None, backbone="text_cnn", strategy=strategy, intake={"tokens": 16}), folder=folder)
    found = rebuilt.trained(folder.name)
    kept = arrays.read(folder / "test.npz")["logits"]
    np.testing.assert_allclose(found.logits(found.split.test.inputs), kept, atol=1e-6)


def test_a_backbone_that_has_changed_since_the_run_is_not_taken_for_the_one_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = SMALL.but(source=None, backbone="word_average", strategy="feature_extraction", intake={"tokens": 16})
    train(asked, folder=settings.run_folder("then"))
    assert rebuilt.trained("then").classes == tiny_texts.CLASSES
    now = catalog.backbone("word_average")
    assert now.pretrained is not None
    other = replace(now, pretrained=replace(now.pretrained, identity="a later version"))
    monkeypatch.setitem(catalog.backbones(), "word_average", other)
    with pytest.raises(ImpossibleExperiment, match="has changed since this run"):
        rebuilt.trained("then")

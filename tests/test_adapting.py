"""Strategies without target labels as they train: what they are given, what stays, what they could have chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import tiny
from tests.once import once
from transfer import Experiment, catalog, possible, settings, train
from transfer.backbones import Pretrained
from transfer.engine.events import Embedded, Event, PhaseBegan, Wish
from transfer.engine.judge.choosing import ChosenEpoch, update
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.samples import splits
from transfer.engine.train import Result
from transfer.errors import ImpossibleExperiment, RequestError
from transfer.lab import set_answers
from transfer.strategies import Setting, Step

REAL = Experiment(
    target="optdigits", source="mnist_5k", source_epochs=1, epochs=2, labels_per_class=0, batch_size=100, seed=3
)
SMALL = REAL.but(target=tiny.TARGET, source=tiny.SOURCE, backbone=tiny.NETWORK, batch_size=40, optimizer="sgd")
WITHOUT = [one.key for one in catalog.strategies().values() if one.unlabelled and "class names" not in one.needs]
ALIGNING = ["deep_coral", "mmd", "jan", "mcc", "pseudo_label", "fixmatch", "mean_teacher", "afn"]


@pytest.fixture(scope="module")
def learned(world: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the source of SMALL has been learned."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder))
        warm_up(lambda: True)
        train(SMALL.but(strategy="source_only", epochs=1))
    return folder


@pytest.fixture(autouse=True)
def at_home(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRANSFER_HOME where it is known."""
    monkeypatch.setenv("TRANSFER_HOME", str(learned))


def ran(strategy: str, **changes: Any) -> Result:
    """SMALL by that strategy."""
    return once(SMALL.but(strategy=strategy, **changes))


def validated(result: Result) -> pd.DataFrame:
    """Loss and accuracy on the target's validation pictures, epoch by epoch."""
    history = result.history
    return history[(history.domain == "target") & (history.split == "validation")][["epoch", "loss", "accuracy"]]


def test_the_usual_methods_need_no_target_labels() -> None:
    named = "source_only adabn deep_coral mmd jan dann cdan mcd mcc afn shot tent pseudo_label mean_teacher fixmatch"
    named += " unchanged"
    assert set(named.split()) == set(WITHOUT)
    assert {"target_oracle", "prototypes", "simclr"} <= set(catalog.strategies())


@pytest.mark.parametrize("strategy", [*ALIGNING, "dann", "cdan", "mcd"])
def test_weight_0_is_source_only_number_for_number(strategy: str) -> None:
    # The target's own statistics would be a look at it.
    found = ran(strategy, epochs=1, options={"weight": 0, "statistics": "source"})
    floor = ran("source_only", epochs=1, augment=catalog.strategy(strategy).labelled_view == "weak")
    np.testing.assert_allclose(
        validated(found).to_numpy(dtype="float64"), validated(floor).to_numpy(dtype="float64"), atol=2e-5
    )
    assert found.metrics["test_accuracy"] == floor.metrics["test_accuracy"]


def test_source_only_never_looks_at_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    seeing = ran("source_only")
    plain = splits.split

    def scrambled(*given: Any) -> splits.Split:
        found = plain(*given)
        if given[0].key == tiny.TARGET:
            noise = np.random.default_rng(0).integers(0, 255, found.unlabelled.shape).astype("uint8")
            return replace(found, unlabelled=noise)
        return found

    monkeypatch.setattr(splits, "split", scrambled)
    blind = train(SMALL.but(strategy="source_only"))
    pd.testing.assert_frame_equal(validated(blind), validated(seeing))


@pytest.mark.parametrize("strategy", ["mmd", "shot", "fixmatch"])
def test_with_other_target_labels_the_same_is_learned(strategy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = splits.split

    def exchanged(*given: Any) -> splits.Split:
        found = plain(*given)
        if given[0].key != tiny.TARGET:
            return found
        parts = [
            type(part)(part.inputs, (part.labels + 1) % 10) for part in (found.train, found.validation, found.test)
        ]
        train, validation, test = parts
        return replace(found, train=train, validation=validation, test=test)

    asked = SMALL.but(strategy=strategy, epochs=1, batch_size=80)
    first = train(asked)
    monkeypatch.setattr(splits, "split", exchanged)
    second = train(asked)
    assert first.weights.keys() == second.weights.keys()
    for name, value in first.weights.items():
        np.testing.assert_array_equal(value, second.weights[name], err_msg=name)


def test_a_step_without_target_labels_has_none() -> None:
    seen: list[Step] = []

    class Spy(catalog.strategy("deep_coral")):  # type: ignore[misc]  # a class found by name
        def terms(self) -> Any:
            terms = dict(super().terms())
            own = terms["coral"].value

            def value(step: Step) -> Any:
                seen.append(step)
                return own(step)

            return {"coral": type(terms["coral"])(1.0, value)}

    catalog.strategies()["spy"] = Spy
    try:
        train(SMALL.but(strategy="spy", epochs=1))
    finally:
        del catalog.strategies()["spy"]
    assert seen
    assert all(step.labels is None and step.logits is None for step in seen)
    assert all(step.unlabelled["plain"].labels is None for step in seen)


@pytest.mark.parametrize(("strategy", "moving"), [("tent", ("gamma", "beta")), ("adabn", ()), ("shot", None)])
def test_frozen_parts_are_bit_identical_afterwards(strategy: str, moving: tuple[str, ...] | None) -> None:
    result, start = ran(strategy, optimizer="adam"), ran("adabn", epochs=1)
    head = [name for name in result.weights if name.startswith("head/")]
    for name in head:
        np.testing.assert_array_equal(result.weights[name], start.weights[name])
    stage = tiny.build(tiny.SIDE)[0]
    learned = [variable.name for variable in stage.variables]
    if moving is None:
        return
    for position, name in enumerate(learned):
        same = np.array_equal(result.weights[f"low/{position}"], start.weights[f"low/{position}"])
        assert same == (name not in moving and not name.startswith("moving_")), name


def test_adabn_moves_statistics_to_those_of_the_target() -> None:
    result = ran("adabn", epochs=60, batch_size=1000)
    stage = tiny.build(tiny.SIDE)[0]
    names = [variable.name for variable in stage.variables]
    moved = result.weights[f"low/{names.index('moving_mean')}"]
    target = splits.split(catalog.dataset(tiny.TARGET), 3, 0)
    stage.variables[0].assign(result.weights["low/0"])
    stage.variables[1].assign(result.weights["low/1"])
    convolved = stage.layers[2](stage.layers[1](target.unlabelled.astype("float32")))
    still = (0.9**60) * 3
    np.testing.assert_allclose(moved, np.asarray(convolved).mean(axis=(0, 1, 2)), atol=still)


@pytest.mark.parametrize(("statistics", "close"), [("own", True), ("both", False)])
def test_running_statistics_are_the_targets_though_the_source_passes_too(statistics: str, close: bool) -> None:
    """The source is made dark, so that its statistics are far from the target's."""
    asked = {"target": f"{tiny.TARGET}~inversion:5", "epochs": 12, "batch_size": 1000}
    options = {"statistics": statistics, "rate": 1e-6}
    result = ran("deep_coral", options=options, **asked)
    alone = ran("adabn", **asked)
    names = [variable.name for variable in tiny.build(tiny.SIDE)[0].variables]
    key = f"low/{names.index('moving_mean')}"
    apart = np.abs(result.weights[key] - alone.weights[key]).max() / np.abs(alone.weights[key]).max()
    assert (apart < 0.02) == close


def test_the_discriminator_is_built_before_training(tmp_path: Path) -> None:
    events: list[Event] = []
    train(SMALL.but(strategy="dann", epochs=1), emit=events.append, folder=tmp_path)
    began = next(one for one in events if isinstance(one, PhaseBegan) and one.domain == "target")
    hidden = 16 * 128 + 128 + 128 * 128 + 128 + 128 + 1
    plain = catalog.backbone(tiny.NETWORK).parameters + 16 * 10 + 10
    assert began.weights == plain + hidden


def test_a_wide_product_is_mapped_at_random() -> None:
    result = train(SMALL.but(strategy="cdan", backbone="dense", epochs=1))
    assert result.state == "finished"


@pytest.mark.parametrize("strategy", ["dann", "shot", "mean_teacher"])
def test_a_paused_run_goes_on_as_if_it_had_never_stopped(strategy: str, tmp_path: Path) -> None:
    asked = SMALL.but(strategy=strategy)
    whole = once(asked)
    count = 0

    def after(steps: int) -> Any:
        def wish() -> Wish | None:
            nonlocal count
            count += 1
            return "pause" if count >= steps else None

        return wish

    assert train(asked, should_stop=after(5), folder=tmp_path).state == "paused"
    resumed = train(asked, folder=tmp_path)
    np.testing.assert_allclose(validated(resumed).to_numpy()[-1], validated(whole).to_numpy()[-1], atol=1e-5)
    assert resumed.metrics["picks"] == whole.metrics["picks"]


def test_the_last_epoch_is_tested_and_the_others_shown_beside() -> None:
    result = ran("mmd", epochs=3)
    picks = result.metrics["picks"]
    assert set(picks) == {"start", "last", "entropy", "information", "density", "source", "labels"}
    assert picks["last"] == {"epoch": 3, "test_accuracy": result.metrics["test_accuracy"]}
    assert picks["start"]["epoch"] == 0
    assert result.metrics["best_epoch"] == 3
    best = validated(result)
    assert picks["labels"]["epoch"] == best.epoch[best.accuracy.idxmax()]


def test_pickers_take_what_is_best_for_them() -> None:
    picks: dict[str, ChosenEpoch] = {}
    figures = [
        {"entropy": 1.0, "information": 0.1, "density": 2.0, "accuracy": 0.5},
        {"entropy": 0.5, "information": 0.3, "density": 1.0, "accuracy": 0.4},
        {"entropy": 0.7, "information": 0.2, "density": 1.5, "accuracy": 0.6},
    ]
    for epoch, one in enumerate(figures):
        update(picks, 1, epoch, one)
    found = {name: pick.epoch for name, pick in picks.items()}
    assert found == {"start": 0, "last": 2, "entropy": 1, "information": 1, "density": 0, "labels": 2}


def test_with_some_labels_validation_chooses_and_the_labels_are_learned() -> None:
    result = ran("fixmatch", labels_per_class=2, epochs=3)
    history = result.history
    assert "cross_entropy" in history
    best = validated(result)
    chosen = best[best.epoch == result.metrics["best_epoch"]]
    assert chosen.accuracy.item() == best.accuracy.max()


def test_both_domains_are_drawn_in_one_plane_that_stays() -> None:
    events: list[Event] = []
    train(SMALL.but(strategy="source_only", options={"rate": 1e-6}), emit=events.append)
    drawn = [one for one in events if isinstance(one, Embedded)]
    assert [one.epoch for one in drawn] == [0, 1, 2]
    assert len(drawn[0].source) == len(drawn[0].source_labels) > 40
    np.testing.assert_allclose(drawn[0].source, drawn[-1].source, atol=0.05)


def test_classes_left_out_are_in_no_part_and_keep_their_numbers() -> None:
    few = splits.split(catalog.dataset("optdigits"), 0, 0, without=[5, 6, 7, 8, 9])
    whole = splits.split(catalog.dataset("optdigits"), 0)
    assert set(few.validation.labels) == set(few.test.labels) == {0, 1, 2, 3, 4}
    assert len(few.unlabelled) == int((whole.train.labels < 5).sum())
    assert len(few.train) == 0
    assert few.fingerprint != splits.split(catalog.dataset("optdigits"), 0, 0).fingerprint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategy": "fine_tuning"}, "learns from target labels, but there are none"),
        ({"strategy": "mmd", "source": None, "backbone": "efficientnet_lite0"}, "needs a source data set"),
        ({"strategy": "mmd", "source": "textures"}, "source and target need the same"),
        ({"strategy": "shot", "source": None, "backbone": "efficientnet_lite0"}, "source and target need the same"),
        ({"strategy": "mmd", "without": ("11",)}, "no class of"),
        ({"strategy": "mmd", "without": tuple("012345678")}, "Fewer than two classes"),
    ],
)
def test_what_cannot_be_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        catalog.check(SMALL.but(**changes))


def test_the_nearest_possible_gives_a_label_or_a_source_of_the_same_classes() -> None:
    nothing = REAL.but(strategy="fine_tuning").model_dump()
    assert ("Give 1 label per class", {"labels_per_class": 1}) in possible.nearest(nothing)
    other = REAL.but(strategy="mmd", source="textures").model_dump()
    assert possible.nearest(other)[0] == ("Train on MNIST-5k first", {"source": "mnist_5k"})


def test_prototypes_train_nothing_and_know_their_classes() -> None:
    result = ran("prototypes", source_epochs=10, labels_per_class=5)
    assert result.metrics["trainable_weights"] == 0
    assert result.metrics["test_accuracy"] > 0.5


def test_phases_of_simclr_share_the_epochs() -> None:
    stages = ("conv1", "dense")
    simclr = catalog.strategy("simclr")()
    alone, *labels = simclr.phases(Setting(stages, 7, None, False))
    assert alone.epochs == 3 and alone.unlabelled == ("strong", "second")
    assert labels == catalog.strategy("fine_tuning")().phases(Setting(stages, 4, None, False))
    # What is random in a head on learned features would stay where few labels do not reach.
    assert not simclr.random_head and catalog.strategy("from_scratch")().random_head
    with pytest.raises(ImpossibleExperiment, match="learns from target labels"):
        catalog.check(SMALL.but(strategy="simclr"))


def test_fixmatch_learns_in_one_domain_from_few_labels_and_many_pictures_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = Pretrained("nothing", "these tests", "1", lambda stages: None)
    monkeypatch.setitem(catalog.backbones(), tiny.NETWORK, replace(catalog.backbone(tiny.NETWORK), pretrained=own))
    alone = SMALL.but(source=None, strategy="fixmatch", labels_per_class=2, epochs=1)
    history = train(alone).history
    assert {"cross_entropy", "own_labels"} <= set(history) and "source_loss" not in history
    with pytest.raises(ImpossibleExperiment, match="some labels to start from"):
        catalog.check(alone.but(labels_per_class=0))


def test_both_domains_are_drawn_by_their_neighbours_at_the_end() -> None:
    folder = settings.run_folder("neighbours")
    train(SMALL.but(strategy="source_only", source_epochs=40, epochs=1, optimizer="adam"), folder=folder)
    found = set_answers.together("neighbours")
    assert len(found["source"]) == len(found["source_labels"]) > 40
    assert len(found["target"]) == len(found["target_labels"]) == 27
    # Drawn from source features alone, pictures of a class lie nearer to one another than to the others.
    centres = np.stack([found["source"][found["source_labels"] == one].mean(axis=0) for one in range(10)])
    nearest = np.linalg.norm(found["source"][:, None] - centres, axis=2).argmin(axis=1)
    assert (nearest == found["source_labels"]).mean() > 0.6
    assert np.array_equal(set_answers.together("neighbours")["target"], found["target"]), "kept with the run"

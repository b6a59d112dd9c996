"""Figures against values worked out by hand or by scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import log_loss

from transfer.engine.judge import metrics


def test_cross_entropy_by_hand() -> None:
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]))
    assert metrics.cross_entropy(logits, np.array([0, 1])) == pytest.approx((np.log(2) - np.log(0.8)) / 2)
    assert metrics.cross_entropy(np.zeros((4, 10)), np.arange(4)) == pytest.approx(np.log(10))


def test_cross_entropy_agrees_with_scikit_learn_and_does_not_overflow() -> None:
    random = np.random.default_rng(0)
    logits, labels = random.normal(size=(50, 4)), random.integers(0, 4, 50)
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert metrics.cross_entropy(logits, labels) == pytest.approx(log_loss(labels, chances, labels=range(4)))
    assert metrics.cross_entropy(np.array([[1e4, 0.0]]), np.array([1])) == pytest.approx(1e4)


def test_accuracy_counts_the_largest_logit() -> None:
    assert metrics.accuracy(np.array([[1, 2], [3, 0], [0, 1], [1, 0]]), np.array([1, 0, 0, 0])) == 0.75


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_wilson_agrees_with_scipy(pair: tuple[int, int]) -> None:
    hits, count = pair
    expected = binomtest(hits, count).proportion_ci(method="wilson")
    assert metrics.wilson(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-6)

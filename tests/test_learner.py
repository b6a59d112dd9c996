"""What moves, what stays and what is reported: the traps of transfer learning, one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from transfer.engine.loop.learner import Learner
from transfer.engine.loop.optimizers import optimizer, share_of_peak
from transfer.strategies import Phase, Term


def stages() -> list[tuple[str, keras.Model]]:
    """Two small stages with batch-norm and dropout, always with the same weights."""
    keras.utils.set_random_seed(1)
    low = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), keras.layers.BatchNormalization(momentum=0.5)])
    high = keras.Sequential([keras.Input((5,)), keras.layers.Dropout(0.5), keras.layers.Dense(4, activation="relu")])
    return [("low", low), ("high", high)]


def learner(phase: Phase, name: str = "adam", rate: float = 0.01, **more: object) -> Learner:
    """A compiled learner over `stages`."""
    head = keras.layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=3))
    head.build((None, 4))
    made = Learner([], stages(), head, phase, **more)
    made.compile(optimizer=optimizer(name, rate, made.rates()))
    return made


def batch(count: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Random samples with labels."""
    random = np.random.default_rng(0)
    return random.normal(size=(count, 6)).astype("float32"), random.integers(0, 3, count)


def test_a_point_is_the_batchs_own_loss_not_the_running_mean() -> None:
    x, y = batch(96)
    one = learner(Phase("p", 1, 1.0), rate=0.0)
    for index in range(3):
        part = slice(index * 32, index * 32 + 32)
        logs = one.learn(x[part], y[part])
        logits = one.logits(x[part])
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        assert logs["loss"] == pytest.approx(-np.log(chances[range(32), y[part]]).mean(), rel=1e-4)
        assert logs["accuracy"] == pytest.approx((logits.argmax(1) == y[part]).mean())


def test_frozen_stages_are_bit_identical_afterwards_batch_norm_statistics_too() -> None:
    x, y = batch()
    one = learner(Phase("p", 1, 0.1, {"high": 1.0}, batch_norm="batch"))
    before = [np.array(value) for value in one.named[0].get_weights()]
    high = [np.array(value) for value in one.named[1].get_weights()]
    for _ in range(3):
        one.learn(x, y)
    assert all((old == new).all() for old, new in zip(before, one.named[0].get_weights(), strict=True))
    assert any((old != new).any() for old, new in zip(high, one.named[1].get_weights(), strict=True))
    assert len(one.trainable_weights) == 2 + 2


def test_unfrozen_batch_norm_keeps_its_statistics_unless_asked_to_follow_the_batches() -> None:
    x, y = batch()
    for mode, stays in (("inference", True), ("batch", False)):
        one = learner(Phase("p", 1, 0.01, {"low": 1.0, "high": 1.0}, batch_norm=mode))
        mean = np.array(one.named[0].layers[-1].moving_mean)
        for _ in range(2):
            one.learn(x + 5, y)
        assert (np.array(one.named[0].layers[-1].moving_mean) == mean).all() == stays


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_stage_at_rate_r_moves_as_a_lone_optimiser_at_rate_r_would(name: str) -> None:
    variables = [keras.Variable(np.array([1.0, -2.0], "float32")) for _ in range(2)]
    lone = [keras.Variable(np.array([1.0, -2.0], "float32")) for _ in range(2)]
    both = optimizer(name, 0.1, [1.0, 0.25])
    alone = [optimizer(name, rate, [1.0]) for rate in (0.1, 0.025)]
    for one in (both, *alone):
        one.weight_decay = None
    random = np.random.default_rng(0)
    for _ in range(5):
        gradients = [ops.convert_to_tensor(random.normal(size=2).astype("float32")) for _ in range(2)]
        both.apply(gradients, variables)
        for one, gradient, variable in zip(alone, gradients, lone, strict=True):
            one.apply([gradient], [variable])
    for moved, expected in zip(variables, lone, strict=True):
        np.testing.assert_allclose(np.array(moved), np.array(expected), rtol=1e-6)


def test_rates_follow_keras_order_of_the_trainable_variables() -> None:
    one = learner(Phase("p", 1, 0.1, {"low": 0.25, "high": 0.5}, head_rate=2.0))
    by_size = {(6, 5): 0.25, (5,): 0.25, (5, 4): 0.5, (4,): 0.5, (4, 3): 2.0, (3,): 2.0}
    assert one.rates() == [by_size[tuple(variable.shape)] for variable in one.trainable_variables]


def test_class_weights_and_smoothing_change_the_training_loss_as_by_hand() -> None:
    x, y = batch(8)
    weights = np.array([1.0, 2.0, 4.0], "float32")
    one = learner(Phase("p", 1, 0.1), smoothing=0.3, class_weights=weights)
    logits = one.logits(x)
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    truth = np.eye(3)[y] * 0.7 + 0.1
    expected = (weights[y] * -(truth * logs).sum(1)).mean()
    assert float(one.compute_loss(x, y, one(x))) == pytest.approx(expected, rel=1e-5)


def test_a_named_term_is_added_with_its_weight_and_is_a_curve_of_its_own() -> None:
    x, y = batch(8)
    term = Term(0.5, lambda step: ops.mean(ops.square(step.features)))
    plain, more = learner(Phase("p", 1, 0.1)), learner(Phase("p", 1, 0.1, terms={"size": term}))
    size = float(ops.mean(ops.square(more(x)["features"])))
    assert size > 0
    expected = float(plain.compute_loss(x, y, plain(x))) + 0.5 * size
    assert float(more.compute_loss(x, y, more(x))) == pytest.approx(expected, rel=1e-5)
    assert {"loss", "accuracy", "cross_entropy", "size"} == set(more.compute_metrics(x, y, None))


def test_schedules_by_hand() -> None:
    assert share_of_peak("constant", 0.7) == 1
    assert [share_of_peak("cosine", done) for done in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])
    cycle = [share_of_peak("one_cycle", done) for done in (0, 0.15, 0.3, 1)]
    assert cycle == pytest.approx([0.2, 0.6, 1.0, 1e-4], rel=1e-4)


def test_in_half_precision_the_rate_that_is_set_is_the_rate_of_the_step_and_the_loss_is_told_unscaled() -> None:
    plain = learner(Phase("p", 1, 0.1))
    plain.compile(optimizer("sgd", 0.1, plain.rates()))
    plain.optimizer = keras.optimizers.LossScaleOptimizer(plain.optimizer)
    x, y = batch(8)
    assert plain.optimizer is not plain.steering
    before = [np.array(one) for one in plain.trainable_variables]
    told = plain.learn(x, y, rate=0.0)
    assert all(np.array_equal(np.array(one), old) for one, old in zip(plain.trainable_variables, before, strict=True))
    assert told["loss"] == pytest.approx(float(plain.compute_loss(x, y, plain(x))), rel=1e-4)
    plain.learn(x, y, rate=0.05)
    assert float(plain.steering.learning_rate) == pytest.approx(0.05)
    assert not all(
        np.array_equal(np.array(one), old) for one, old in zip(plain.trainable_variables, before, strict=True)
    )

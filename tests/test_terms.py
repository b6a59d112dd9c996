"""Every strategy's maths against numbers worked out by hand; nothing is trained here."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import ops

from tests.by_hand import number, outputs, softened, step, values
from transfer.strategies.attention_transfer import attention_gap, attention_map
from transfer.strategies.bss import smallest
from transfer.strategies.co_tuning import relationship, source_agreement
from transfer.strategies.distillation import soft_answers
from transfer.strategies.fitnets import hint_distance
from transfer.strategies.relational import angle_gap, angles, distance_gap, distances
from transfer.strategies.stoch_norm import layer_class
from transfer.strategies.taught import counterpart


@pytest.mark.parametrize("shape", [(5, 9), (9, 5)])
def test_bss_is_the_smallest_squared_singular_values(shape: tuple[int, int]) -> None:
    features = values(*shape)
    expected = np.sort(np.linalg.svd(features, compute_uv=False) ** 2)
    assert number(smallest(1)(step(features=features))) == pytest.approx(expected[0], rel=1e-4)
    assert number(smallest(3)(step(features=features))) == pytest.approx(expected[:3].sum(), rel=1e-4)


def test_co_tuning_by_hand() -> None:
    chances = np.array([[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]], "float32")
    table = relationship(chances, np.array([0, 0, 1]), 3)
    np.testing.assert_allclose(table, [[0.7, 0.3], [0.1, 0.9], [0.5, 0.5]], rtol=1e-6)
    logits = values(2, 2)
    one = step(
        labels=np.eye(3, dtype="float32")[[0, 1]],
        features=np.zeros((2, 4), "float32"),
        parts={"source_head": lambda features: ops.convert_to_tensor(logits)},
        known={"relationship": table},
    )
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert number(source_agreement(one)) == pytest.approx(-(table[:2] * logs).sum(axis=1).mean(), rel=1e-5)


def test_stoch_norm_picks_statistics_channel_by_channel() -> None:
    x = values(64, 6) * 3 + 2
    for p, expected in ((0.0, "batch"), (1.0, "moving")):
        layer = layer_class()(momentum=1.0)
        layer.p, layer.noise = p, keras.random.SeedGenerator(1)
        layer.build((None, 6))
        mean, spread = (x.mean(axis=0), x.var(axis=0)) if expected == "batch" else (0, 1)
        by_hand = (x - mean) / np.sqrt(spread + layer.epsilon)
        np.testing.assert_allclose(ops.convert_to_numpy(layer(x, training=True)), by_hand, atol=1e-4)
        still = ops.convert_to_numpy(layer(x, training=False))
        np.testing.assert_allclose(still, x / np.sqrt(1 + layer.epsilon), atol=1e-4)


def test_dark_pictures_do_not_break_attention() -> None:
    dark = keras.Variable(np.zeros((2, 3, 3, 4), "float32"))
    assert np.isfinite(ops.convert_to_numpy(attention_map(dark, 3, 3))).all()


def test_soft_answers_are_t_squared_times_the_divergence_of_softened_answers() -> None:
    mine, theirs = values(5, 4), values(5, 4)
    p, q = softened(theirs, 3.0), softened(mine, 3.0)
    expected = 9 * (p * np.log(p / q)).sum(axis=1).mean()
    assert number(soft_answers(3.0)(step(logits=mine, teacher=outputs(logits=theirs)))) == pytest.approx(
        expected, rel=1e-4
    )
    assert number(soft_answers(3.0)(step(logits=mine, teacher=outputs(logits=mine)))) == pytest.approx(0, abs=1e-5)


def test_fitnets_hint_by_hand() -> None:
    mine = {"low": values(2, 4, 4, 3), "middle": values(2, 2, 2, 3), "high": values(2, 5)}
    theirs = {"one": values(2, 4, 4, 3), "two": values(2, 2, 2, 3), "three": values(2, 5)}
    one = step(maps=mine, teacher=outputs(maps=theirs), parts={"regressor": lambda maps: 2 * maps})
    expected = ((2 * mine["middle"] - theirs["two"]) ** 2).mean()
    assert number(hint_distance(one)) == pytest.approx(expected, rel=1e-5)
    assert [counterpart(place, 4, 9) for place in range(4)] == [1, 3, 6, 8]
    for count in range(1, 12):
        for others in range(1, 12):
            found = [counterpart(place, count, others) for place in range(count)]
            assert found == sorted(found)
            assert found[0] >= 0
            assert found[-1] == others - 1


def test_attention_by_hand_is_free_of_scale_and_0_with_itself() -> None:
    maps = values(2, 2, 2, 3)
    flat = (maps**2).mean(axis=-1).reshape(2, 4)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(ops.convert_to_numpy(attention_map(maps, 2, 2)), flat, rtol=1e-4)
    told = outputs(maps={"a": 7 * maps, "b": values(2, 5)})
    assert number(attention_gap(step(maps={"x": maps, "y": values(2, 9)}, teacher=told))) == pytest.approx(0, abs=1e-8)
    other = values(2, 2, 2, 6)
    theirs = (other**2).mean(axis=-1).reshape(2, 4)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    found = number(attention_gap(step(maps={"x": maps}, teacher=outputs(maps={"a": other}))))
    assert found == pytest.approx(((flat - theirs) ** 2).mean(), rel=1e-4)


def test_relations_of_a_triangle() -> None:
    triangle = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]], "float32")
    np.testing.assert_allclose(
        ops.convert_to_numpy(distances(triangle)), np.array([[0, 3, 4], [3, 0, 5], [4, 5, 0]]) / 4, atol=1e-5
    )
    cosines = ops.convert_to_numpy(angles(triangle))
    assert [cosines[0, 1, 2], cosines[1, 0, 2], cosines[2, 0, 1]] == pytest.approx([0, 0.6, 0.8], abs=1e-5)
    turned = 5 * triangle @ np.array([[0.0, 1.0], [-1.0, 0.0]], "float32") + 2
    for gap in (distance_gap, angle_gap):
        assert number(gap(step(features=triangle, teacher=outputs(features=turned)))) == pytest.approx(0, abs=1e-6)
    other = outputs(features=np.array([[0.0], [1.0], [2.0]], "float32"))
    apart = np.abs(np.array([0.75 - 0.75, 1 - 1.5, 1.25 - 0.75]))
    assert number(distance_gap(step(features=triangle, teacher=other))) == pytest.approx(
        2 * (0.5 * apart**2).sum() / 9, rel=1e-4
    )

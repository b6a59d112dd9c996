"""The maths of strategies without target labels, against numbers worked out by hand; nothing is trained here."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow
from keras import ops

from tests.by_hand import RANDOM, number, softened, values
from transfer.engine.judge import validators
from transfer.strategies.afn import mean_gap, norm_gap
from transfer.strategies.cdan import certainty
from transfer.strategies.dann import confusion, told_apart
from transfer.strategies.deep_coral import coral
from transfer.strategies.losses import diversity, entropy, growing, reversed_gradient, unit
from transfer.strategies.mcc import class_confusion
from transfer.strategies.mcd import disagreement
from transfer.strategies.mean_teacher import inconsistency
from transfer.strategies.mmd import SCALES, discrepancy
from transfer.strategies.prototypes import nearest_mean
from transfer.strategies.pseudo_label import sure, taught_by
from transfer.strategies.shot import nearest_centres
from transfer.strategies.simclr import contrast


def by_kernels(*pairs: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared MMD of products of kernels, entry by entry."""
    product = 1.0
    count = len(pairs[0][0])
    for source, target in pairs:
        rows = np.concatenate([source, target]).astype("float64")
        apart = np.array([[((one - other) ** 2).sum() for other in rows] for one in rows])
        mean = apart.sum() / (len(rows) * (len(rows) - 1))
        product = product * np.mean([np.exp(-apart / (2 * scale * mean)) for scale in SCALES], axis=0)
    product = np.asarray(product)
    cross = product[:count, count:].mean()
    return float(product[:count, :count].mean() + product[count:, count:].mean() - 2 * cross)


def test_coral_of_a_set_with_itself_is_0_and_agrees_with_numpy() -> None:
    source, target = values(12, 5), values(9, 5) * 2
    assert number(coral(source, source)) == 0
    expected = ((np.cov(source.T) - np.cov(target.T)) ** 2).sum() / (4 * 25)
    assert number(coral(source, target)) == pytest.approx(expected, abs=1e-5)


def test_mmd_of_a_set_with_itself_is_0_and_agrees_with_numpy() -> None:
    source, target = values(7, 4), values(6, 4) + 1
    assert number(discrepancy([source], [source])) == pytest.approx(0, abs=1e-6)
    assert number(discrepancy([source], [target])) == pytest.approx(by_kernels((source, target)), abs=1e-5)


def test_joint_mmd_multiplies_the_kernels() -> None:
    source, target = (values(5, 4), values(5, 3)), (values(5, 4) + 1, values(5, 3))
    expected = by_kernels((source[0], target[0]), (source[1], target[1]))
    assert number(discrepancy(source, target)) == pytest.approx(expected, abs=1e-5)
    assert number(discrepancy(source, source)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.3, 2.0])
def test_reversal_leaves_the_value_and_flips_and_scales_the_gradient(strength: float) -> None:
    x = tensorflow.Variable(values(3, 4))
    with tensorflow.GradientTape() as tape:
        turned = reversed_gradient(x, strength)
        total = ops.sum(turned * turned)
    np.testing.assert_allclose(turned, x, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(total, x), -strength * 2 * np.asarray(x), rtol=1e-5, atol=1e-6)


def test_a_unit_features_gradient_does_not_shrink_it() -> None:
    x = tensorflow.Variable(values(3, 4))
    with tensorflow.GradientTape() as tape:
        total = ops.sum(unit(x))
    length = np.linalg.norm(np.asarray(x), axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(np.asarray(unit(x)), axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(total, x), np.broadcast_to(1 / length, (3, 4)), rtol=1e-5)


def test_lambda_grows_with_progress_as_in_the_paper() -> None:
    assert number(growing(0.0)) == 0
    assert number(growing(0.1)) == pytest.approx(2 / (1 + np.exp(-1)) - 1, rel=1e-5)
    assert number(growing(1.0)) == pytest.approx(0.99991, abs=1e-5)


def test_the_discriminators_loss_and_accuracy_by_hand() -> None:
    logits = np.array([[2.0], [-1.0], [0.5], [-3.0]], "float32")
    chance = 1 / (1 + np.exp(-logits[:, 0]))
    each = [-np.log(chance[0]), -np.log(chance[1]), -np.log(1 - chance[2]), -np.log(1 - chance[3])]
    assert number(confusion(ops.convert_to_tensor(logits), 2)) == pytest.approx(np.mean(each), rel=1e-5)
    weights = np.array([1.0, 3.0, 2.0, 2.0], "float32")
    expected = ((each[0] + 3 * each[1]) / 4 + (each[2] + each[3]) / 2) / 2
    found = confusion(ops.convert_to_tensor(logits), 2, ops.convert_to_tensor(weights))
    assert number(found) == pytest.approx(expected, rel=1e-5)
    assert number(told_apart(ops.convert_to_tensor(logits), 2)) == 0.5


def test_sure_answers_count_up_to_twice() -> None:
    answers = np.array([[1.0, 0.0], [0.5, 0.5]], "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(certainty(answers)), [2.0, 1.5], rtol=1e-5)


def test_entropy_and_diversity_by_hand() -> None:
    logits = values(6, 4)
    p = softened(logits, 1.0)
    assert number(entropy(logits)) == pytest.approx(-(p * np.log(p)).sum(axis=1).mean(), rel=1e-5)
    mean = p.mean(axis=0)
    assert number(diversity(logits)) == pytest.approx(-(mean * np.log(mean)).sum(), rel=1e-5)


def test_class_confusion_by_hand_and_0_when_all_is_sure() -> None:
    logits = values(6, 3)
    p = softened(logits, 2.5)
    w = 1 + np.exp((p * np.log(p)).sum(axis=1))
    w = w / w.mean()
    c = (p * w[:, None]).T @ p
    c = c / c.sum(axis=1, keepdims=True)
    expected = (c.sum() - np.trace(c)) / 3
    assert number(class_confusion(logits, 2.5)) == pytest.approx(expected, rel=1e-4)
    certain = 500 * np.eye(3, dtype="float32")
    assert number(class_confusion(certain, 2.5)) == pytest.approx(0, abs=1e-6)


def test_small_losses_by_hand() -> None:
    one, other = values(4, 3), values(4, 3)
    p, q = softened(one, 1.0), softened(other, 1.0)
    assert number(disagreement(one, other)) == pytest.approx(np.abs(p - q).mean(), rel=1e-5)
    assert number(inconsistency(one, other)) == pytest.approx(((p - q) ** 2).sum(axis=1).mean(), rel=1e-5)
    assert number(norm_gap(one, 1.5)) == pytest.approx(1.5**2, rel=1e-5)
    expected = (np.linalg.norm(one, axis=1).mean() - 4.0) ** 2
    assert number(mean_gap(one, 4.0)) == pytest.approx(expected, rel=1e-4)


def test_only_sure_answers_teach() -> None:
    teacher = np.array([[9.0, 0.0, 0.0], [0.3, 0.2, 0.1]], "float32")
    pupil = values(2, 3)
    labels, counted = sure(teacher, 0.95)
    np.testing.assert_array_equal(ops.convert_to_numpy(labels), [[1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(ops.convert_to_numpy(counted), [1, 0])
    expected = -np.log(softened(pupil, 1.0)[0, 0]) / 2
    assert number(taught_by(teacher, pupil, 0.95)) == pytest.approx(expected, rel=1e-5)


def test_contrast_is_nt_xent_entry_by_entry() -> None:
    one, other = values(3, 5), values(3, 5)
    rows = np.concatenate([one, other])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    alike = np.exp(rows @ rows.T / 0.5)
    each = [-np.log(alike[i, (i + 3) % 6] / (alike[i].sum() - alike[i, i])) for i in range(6)]
    assert number(contrast(one, other, 0.5)) == pytest.approx(np.mean(each), rel=1e-4)
    same = np.ones((3, 5), "float32")
    assert number(contrast(same, same, 0.5)) == pytest.approx(np.log(5), rel=1e-4)


def test_shots_centres_gather_what_lies_together() -> None:
    angle = np.concatenate([RANDOM.normal(0, 0.05, 20), RANDOM.normal(2, 0.05, 20)])
    features = 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    answers = np.tile([[0.6, 0.3, 0.1]], (40, 1))
    answers[20:] = [0.3, 0.6, 0.1]
    answers[0] = [0.1, 0.8, 0.1]
    labels = nearest_centres(features, answers)
    assert labels.tolist() == [0] * 20 + [1] * 20


def test_prototypes_answer_the_nearest_mean_and_never_an_empty_class() -> None:
    features, labels = values(30, 4), np.repeat([0, 1, 3], 10)
    kernel, bias = nearest_mean(features, labels, 4)
    means = {one: features[labels == one].mean(axis=0) for one in (0, 1, 3)}
    new = values(20, 4)
    nearest = [min(means, key=lambda one: float(((x - means[one]) ** 2).sum())) for x in new]
    assert (new @ kernel + bias).argmax(axis=1).tolist() == nearest


def test_validators_by_hand() -> None:
    logits = values(5, 3)
    p = softened(logits.astype("float64"), 1.0)
    unsure = -(p * np.log(p)).sum(axis=1).mean()
    assert validators.entropy(logits) == pytest.approx(unsure)
    mean = p.mean(axis=0)
    assert validators.information(logits) == pytest.approx(-(mean * np.log(mean)).sum() - unsure)
    rows = p / np.linalg.norm(p, axis=1, keepdims=True)
    total = 0.0
    for i in range(5):
        near = np.array([np.exp(rows[i] @ rows[j] / 0.05) for j in range(5) if j != i])
        near = near / near.sum()
        total -= (near * np.log(near)).sum()
    assert validators.density(logits) == pytest.approx(total / 5)


def test_the_proxy_a_distance_is_0_within_one_domain_and_2_between_far_ones() -> None:
    random = np.random.default_rng(1)
    one, other = random.normal(size=(400, 5)), random.normal(size=(400, 5))
    assert validators.apart(one, other) < 0.35
    assert validators.apart(one, other + 6) == pytest.approx(2)

"""Every figure of a run's page against an independent computation or a number by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.decomposition import PCA
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from transfer.errors import RequestError
from transfer.insight import answers, calibration, confusion, domains, embedding, nearest, similarity
from transfer.insight.answers import Answers

ROOT = Path(__file__).resolve().parents[1]

NAMES = tuple("abcdefg")


def some(seed: int = 0, count: int = 200, classes: int = 7) -> Answers:
    """Answers that are right more often than not."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    logits = random.normal(0, 1.5, (count, classes))
    logits[np.arange(count), labels] += 2
    return Answers(logits.astype("float32"), labels, NAMES[:classes])


# By hand: classes a, b, c; three of a (two right), two of b (one right), one of c (called b).
HAND = Answers(
    np.log(
        np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.05, 0.9, 0.05],
                  [0.2, 0.7, 0.1], [0.55, 0.4, 0.05], [0.3, 0.4, 0.3]])
    ),
    np.array([0, 0, 0, 1, 1, 2]),
    ("a", "b", "c"),
)  # fmt: skip


def test_scores_by_hand():
    found = answers.scores(HAND)
    assert found["accuracy"] == pytest.approx(3 / 6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert found["precision"] == pytest.approx((2 / 3 + 1 / 3 + 0) / 3)
    assert found["f1"] == pytest.approx((2 / 3 + 2 / 5 + 0) / 3)
    assert "top_5" not in found
    assert confusion.matrix(HAND).tolist() == [[2, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert confusion.behind(HAND, 0, 0).tolist() == [0, 1]
    assert answers.surest_mistakes(HAND).tolist() == [2, 4, 5]
    assert answers.unsure_hits(HAND).tolist() == [1, 3, 0]
    table = answers.per_class(HAND).set_index("class")
    assert table.loc["a", "recall"] == pytest.approx(2 / 3) and table.loc["a", "taken_for"] == "b (1)"
    assert table.loc["b", "precision"] == pytest.approx(1 / 3)


@given(st.integers(0, 50))
@settings(max_examples=10, deadline=None)
def test_scores_are_scikit_learns(seed):
    one = some(seed)
    found = answers.scores(one)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(one.labels, one.predicted))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(one.labels, one.predicted))
    assert found["f1"] == pytest.approx(metrics.f1_score(one.labels, one.predicted, average="macro"))
    top = (np.argsort(one.logits, axis=1)[:, -5:] == one.labels[:, None]).any(axis=1).mean()
    assert found["top_5"] == pytest.approx(top)
    by_hand = np.zeros((7, 7), int)
    for truth, said in zip(one.labels, one.predicted, strict=True):
        by_hand[truth, said] += 1
    assert np.array_equal(confusion.matrix(one), by_hand)
    assert np.allclose(confusion.shares(by_hand).sum(axis=1), 1)


def test_a_class_that_was_left_out_of_the_test_counts_in_no_mean():
    one = some()
    kept = one.labels != 3
    without = Answers(one.logits[kept], one.labels[kept], one.classes)
    present = [0, 1, 2, 4, 5, 6]
    expected = metrics.recall_score(without.labels, without.predicted, labels=present, average="macro")
    assert answers.scores(without)["balanced_accuracy"] == pytest.approx(expected)
    assert "d" not in set(answers.per_class(without)["class"])


def test_calibration_by_hand_and_by_scikit_learn():
    # Bins of a third: confidences .4 .55 .6 in the second, .7 .8 .9 in the third.
    found = calibration.reliability(HAND, 3)
    assert found["count"].tolist() == [3, 3]
    assert found["accuracy"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert found["confidence"].tolist() == pytest.approx([(0.4 + 0.55 + 0.6) / 3, 0.8])
    by_hand = 0.5 * abs(1 / 3 - 1.55 / 3) + 0.5 * abs(2 / 3 - 0.8)
    assert calibration.expected_calibration_error(HAND, 3) == pytest.approx(by_hand)
    one = some(count=2000)
    right, said = calibration_curve(one.right, one.confidence, n_bins=calibration.BINS)
    ours = calibration.reliability(one)
    assert ours["accuracy"].to_numpy() == pytest.approx(right) and ours["confidence"].to_numpy() == pytest.approx(said)


def test_an_answer_that_is_quite_sure_falls_into_the_last_bin():
    sure = Answers(np.array([[100.0, 0.0], [0.0, 100.0]]), np.array([0, 0]), ("a", "b"))
    assert calibration.reliability(sure)["high"].tolist() == [1.0]
    assert calibration.expected_calibration_error(sure) == pytest.approx(0.5)


@given(st.integers(0, 100), st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_cka_is_one_for_a_turned_and_scaled_copy_and_less_for_noise(seed, scale):
    random = np.random.default_rng(seed)
    one = random.normal(size=(60, 4, 3))
    turn, _ = np.linalg.qr(random.normal(size=(12, 12)))
    turned = one.reshape(60, 12) @ turn * scale + 7
    assert similarity.linear_cka(one, one) == pytest.approx(1)
    assert similarity.linear_cka(one, turned) == pytest.approx(1)
    other = random.normal(size=(60, 12))
    assert similarity.linear_cka(one, other) == pytest.approx(similarity.linear_cka(other, one))
    assert similarity.linear_cka(one, other) < 0.6


def test_cka_is_the_papers_formula_on_features():
    random = np.random.default_rng(0)
    one, other = random.normal(size=(40, 5)), random.normal(size=(40, 9))
    x, y = one - one.mean(0), other - other.mean(0)
    by_paper = np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert similarity.linear_cka(one, other) == pytest.approx(by_paper)
    assert similarity.linear_cka(np.ones((5, 3)) * 0.1, np.full((5, 2), 0.3)) == 1
    assert similarity.linear_cka(np.full((5, 3), 0.1), random.normal(size=(5, 2))) == 0
    with pytest.raises(RequestError):
        similarity.linear_cka(one, other[:-1])


def test_a_rounding_of_frozen_stages_is_not_drawn_as_a_change():
    drawn = similarity.figure({"stem": 0.0}, {"stem": 1 - 1e-9}, "one")
    assert drawn.layout.yaxis.range[1] > 0.05
    drawn = similarity.figure({"stem": 0.4}, {"stem": 0.2}, "one")
    assert drawn.layout.yaxis.range[1] == pytest.approx(1.05 * 0.8)


def test_relative_distance_by_hand():
    start = [np.array([3.0, 0.0]), np.array([[4.0]])]
    assert similarity.relative_distance(start, start) == 0
    assert similarity.relative_distance(start, [np.array([3.0, 3.0]), np.array([[8.0]])]) == pytest.approx(1)
    assert similarity.relative_distance([], []) == 0


def test_the_plane_is_scikit_learns_pca_and_groups_stay_together_in_tsne():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 30)
    features = random.normal(size=(90, 20)) + 12 * np.eye(20)[labels]
    found = embedding.plane(features, "pca")
    expected = PCA(2).fit_transform(features)
    assert np.allclose(np.abs(found), np.abs(expected), atol=1e-6)
    near = embedding.plane(features, "tsne")
    assert near.shape == (90, 2) and embedding.neighbours_agree(near, labels) == 1
    assert embedding.plane(np.ones((5, 1)), "pca").shape == (5, 2)
    with pytest.raises(RequestError):
        embedding.plane(features, "umap")


def test_neighbours_agree_is_scikit_learns_vote_with_each_left_out():
    random = np.random.default_rng(1)
    labels = np.repeat([0, 1], 30)
    features = random.normal(size=(60, 3)) + 0.8 * labels[:, None]
    voted = cross_val_predict(KNeighborsClassifier(5), features, labels, cv=LeaveOneOut())
    assert embedding.neighbours_agree(features, labels) == pytest.approx((voted == labels).mean())


def test_a_clicked_cell_says_which_and_nothing_clicked_says_none():
    figure = confusion.figure(HAND, "count", "one")
    marks = next(trace for trace in figure.data if trace.type == "scatter" and trace.mode == "markers")
    point = next(at for at, (x, y) in enumerate(zip(marks.x, marks.y, strict=True)) if (y, x) == (0, 1))
    assert confusion.cell({"points": [{"customdata": marks.customdata[point]}]}) == (0, 1)
    assert confusion.cell({"points": []}) is None
    assert marks.customdata[point][2] == 1 and confusion.commonest(HAND).startswith("Most often")


def test_the_matrix_says_every_number_once_as_pictures_or_as_share_of_the_row():
    for scale, expected in (("count", ["1", "1", "1", "1", "2"]), ("share", ["100", "33", "50", "50", "67"])):
        drawn = confusion.figure(HAND, scale, "one")
        texts = [
            text for trace in drawn.data if trace.type == "scatter" and trace.mode == "text" for text in trace.text
        ]
        assert sorted(texts) == sorted(expected)


def _luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_dots_and_numbers_stand_out_from_both_themes():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for ink, theme in zip(confusion.INKS, ("light", "dark"), strict=True):
        assert ink == config[theme]["textColor"]
        ground = _luminance(config[theme]["backgroundColor"])
        for colour in domains.CLASSES:
            low, high = sorted((ground, _luminance(colour)))
            assert (high + 0.05) / (low + 0.05) > 2, f"{colour} is lost on {theme}"


def test_of_a_hundred_classes_those_with_most_mistakes_are_drawn():
    counted = np.diag(np.full(100, 5))
    counted[70, 3] = 9
    assert {3, 70} <= set(confusion.shown(counted)) and len(confusion.shown(counted)) == confusion.ALL_SHOWN


def test_answers_are_read_from_a_runs_folder_and_missing_ones_are_named(tmp_path):
    with pytest.raises(RequestError, match="no stored answers"):
        answers.read(tmp_path, NAMES)
    one = some()
    np.savez(tmp_path / answers.FILE, logits=one.logits, labels=one.labels)
    again = answers.read(tmp_path, one.classes)
    assert np.array_equal(again.logits, one.logits) and np.allclose(again.probabilities.sum(axis=1), 1)


def test_a_plane_is_turned_and_mirrored_back_and_keeps_its_distances():
    places = np.random.default_rng(0).normal(size=(20, 2))
    places -= places.mean(0)
    angle = 0.8
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag([1, -1])
    assert np.allclose(embedding.turned_like(places @ turn, places), places)
    assert np.allclose(
        np.linalg.norm(embedding.turned_like(places, places[::-1]), axis=1), np.linalg.norm(places, axis=1)
    )


def test_the_nearest_are_those_in_the_same_direction():
    known = np.array([[1.0, 0.0], [0.0, 5.0], [3.0, 3.0], [0.0, 0.0]])
    places, alike = nearest.nearest(known, np.array([0.0, 2.0]), 3)
    assert places.tolist() == [1, 2, 0]
    assert alike == pytest.approx([1, 2**-0.5, 0])

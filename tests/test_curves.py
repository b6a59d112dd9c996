"""Curves and sentences against histories made by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from transfer.insight import sentences, words
from transfer.insight.curves import Curve, Frame, Phase, _near, chance, figure, phase_bounds
from transfer.insight.points import MOST, best, thin


def history(validation, train=(), domain="target", first=0, phase=1):
    """A point an epoch of (loss, accuracy); the first is of the untrained network."""
    rows = []
    for split, values, start in (("validation", validation, first), ("train", train, first + 1)):
        for epoch, (loss, accuracy) in enumerate(values, start):
            place = {"split": split, "domain": domain, "phase": phase, "epoch": float(epoch), "step": epoch * 4}
            rows.append(place | {"seconds": float(epoch), "loss": loss, "accuracy": accuracy})
    table = pd.DataFrame(rows).sort_values(["epoch", "split"], ignore_index=True)
    return table.assign(n=range(1, len(table) + 1))


def test_thinning_keeps_first_last_extremes_best_and_not_a_number():
    x = np.arange(50_000.0)
    y = np.sin(x / 3000)
    y[12_345], y[31_000], y[40_000:40_010] = 9.0, -9.0, np.nan
    kept = thin(x, y, keep=[777])
    assert len(kept) <= MOST
    assert {0, 49_999, 777, 12_345, 31_000, 40_000, 40_009} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_few_points_are_all_kept():
    assert thin(np.arange(9.0), np.full(9, np.nan)).tolist() == list(range(9))


def test_best_is_the_most_accurate_then_the_lower_loss_and_never_of_the_source():
    table = history([(2.3, 0.1), (0.9, 0.8), (0.5, 0.8), (0.5, 0.8), (0.4, 0.7)])
    source = history([(0.1, 0.99)], domain="source", first=-1, phase=0)
    found = best(pd.concat([source, table], ignore_index=True))
    assert found is not None and found["epoch"] == 2
    assert best(source) is None


@pytest.mark.parametrize(("value", "expected"), [("accuracy", 0.25), ("loss", math.log(4))])
def test_chance_line_is_drawn_before_any_point(value, expected):
    assert chance(value, 4) == pytest.approx(expected)
    drawn = figure(value, [], Frame(classes=4))
    assert [shape.y0 for shape in drawn.layout.shapes] == [pytest.approx(expected)]


def test_a_lines_words_lie_where_the_curve_does_not_end():
    ended_above = Curve("a", history([(2.3, 0.1), (0.5, 0.8)]))
    drawn = figure("accuracy", [ended_above], Frame(classes=10, marks=((0.7, "source only"), (0.9, "target oracle"))))
    anchors = {one.text.split()[0]: one.yanchor for one in drawn.layout.annotations}
    assert anchors == {"chance": "top", "source": "top", "target": "bottom"}


def test_majority_has_a_line_of_its_own_when_it_differs():
    drawn = figure("accuracy", [], Frame(classes=2, majority=0.8))
    assert [shape.y0 for shape in drawn.layout.shapes] == [0.5, 0.8]


def test_logarithmic_loss_puts_the_label_on_the_line():
    drawn = figure("loss", [], Frame(classes=10, log=True))
    assert drawn.layout.annotations[0].y == pytest.approx(math.log10(math.log(10)))
    assert drawn.layout.yaxis.type == "log"


def two_domains():
    source = history([(2.3, 0.1), (0.2, 0.9)], [(1.0, 0.5)], "source", -1, 0)
    target = history([(0.7, 0.7), (0.5, 0.8), (0.4, 0.9)], [(0.6, 0.7), (0.3, 1.0)])
    phases = (Phase(0, "learn", "source", -1.0, 1), Phase(1, "train the head", "target", 0.0, 5))
    return Curve("a run", pd.concat([source, target], ignore_index=True), phases)


def test_phases_are_named_where_they_begin_and_the_source_lies_left_of_zero():
    curve = two_domains()
    assert [bounds[1:] for bounds in phase_bounds(curve, "epoch")] == [(-1.0, 0.0), (0.0, 5.0)]
    assert [bounds[1:] for bounds in phase_bounds(curve, "step")] == [(-4.0, 0.0), (0.0, 8.0)]
    notes = [note.text for note in figure("loss", [curve], Frame(classes=10)).layout.annotations]
    assert notes[:2] == ["source", "train the head"]


def test_validation_does_not_run_from_the_source_into_the_target():
    drawn = figure("accuracy", [two_domains()], Frame(classes=10))
    validation = next(trace for trace in drawn.data if trace.name == "validation")
    assert np.isnan(np.array(validation.y, float)).sum() == 1
    without = figure("accuracy", [two_domains()], Frame(classes=10, source=False))
    assert min(next(trace for trace in without.data if trace.name == "validation").x) == 0


def test_runs_over_one_another_differ_in_more_than_hue():
    curves = [Curve(name, history([(1.0, 0.5), (0.5, 0.8)], [(0.9, 0.6)])) for name in ("one", "two", "three")]
    drawn = figure("loss", curves, Frame(classes=10))
    lines = [trace for trace in drawn.data if trace.mode == "lines+markers"]
    assert len({(trace.line.dash, trace.marker.symbol) for trace in lines}) == 3
    assert len({trace.line.color for trace in lines}) == 3
    assert all(trace.type == "scatter" for trace in drawn.data)


def test_zoom_survives_while_the_run_is_the_same():
    assert figure("loss", [], Frame(classes=2, revision="a")).layout.uirevision == "a"


def test_a_loss_that_is_no_number_is_marked_and_said():
    table = history([(2.3, 0.1)], [(2.0, 0.1), (math.nan, 0.1)])
    assert "not a number" in {trace.name for trace in figure("loss", [Curve("a", table)], Frame(classes=10)).data}
    assert sentences.about_loss(table, 10).startswith("The loss is no longer a number")


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([2.3, 1.0, 0.8, 0.9, 1.0, 1.1], "has risen for 3 epochs while training loss falls: overfitting likely."),
        ([2.3, 1.0, 0.8], "Validation loss is falling: 0.80"),
        ([2.3, 2.0, 2.9], "worse than guessing (2.30)"),
        ([2.3] + [0.5] * 9, "has been flat for 8 epochs, at 0.50"),
        ([1.7], "Before the first step on the target, validation loss is 1.70"),
    ],
)
def test_sentence_about_loss(losses, expected):
    train = [(2.0 / n, 0.5) for n in range(1, len(losses))]
    assert expected in sentences.about_loss(history([(loss, 0.5) for loss in losses], train), 10)


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.1], "no better than chance (10\u00a0%)"),
        ([0.74], "clearly above chance (10\u00a0%)"),
        ([0.1, 0.11], "Not clearly above chance (10\u00a0%) yet"),
        ([0.1, 0.12, 0.4, 0.6], "above chance since epoch 2; still improving."),
        ([0.74, 0.8, 0.91], "17 points higher than before the first step; still improving."),
        ([0.7, 0.9] + [0.8] * 12, "no higher since epoch 1 (best 90\u00a0%)."),
        ([0.7, 0.9] + [0.9] * 12, "no higher since epoch 1."),
        ([0.7, 0.6], "training has lowered it from 70\u00a0%."),
    ],
)
def test_sentence_about_accuracy(accuracies, expected):
    assert expected in sentences.about_accuracy(history([(0.5, one) for one in accuracies]), 10)


def test_the_sentence_names_the_star_where_it_comes_later() -> None:
    points = [(0.9, 0.5), (0.5, 0.9), (0.5, 0.7), (0.4, 0.9), *[(0.6, 0.8)] * 12]
    said = sentences.about_accuracy(history(points), 10)
    assert said.endswith(
        "no higher since epoch 1 (best 90\u00a0%); the star at epoch 3 has the same accuracy with a lower loss."
    )


def test_sentences_tell_of_the_teacher_while_it_is_taught():
    table = history([(0.5, 0.25), (0.5, 0.75)]).assign(domain="teacher")
    assert (
        "Training the teacher on the target: validation accuracy 75\u00a0% after 1 epoch."
        in sentences.about_accuracy(table, 10)
    )
    assert "validation loss 0.50 after 1 epoch" in sentences.about_loss(table, 10)


def test_sentences_name_the_source_while_it_is_learned():
    table = history([(2.3, 0.1), (0.5, 0.8)], domain="source", first=-3, phase=0)
    said = sentences.about_accuracy(table, 10, "MNIST-5k")
    assert said == "Training on the source, MNIST-5k: validation accuracy 80\u00a0% after 1 epoch."


def test_training_below_validation_is_called_normal_early_on():
    table = history([(2.3, 0.1), (0.5, 0.8)], [(1.5, 0.4)])
    assert "normal early on" in sentences.about_accuracy(table, 10)


def test_nothing_is_said_of_what_is_not_there():
    empty = pd.DataFrame(columns=["n", "split", "domain", "phase", "epoch", "step", "seconds"])
    assert "Nothing is trained yet" in sentences.about_accuracy(empty, 10)
    assert "2.30" in sentences.about_loss(empty, 10)
    assert words.result({}) == ""


def test_result_line():
    metrics = {"test_accuracy": 0.841, "test_low": 0.8, "test_high": 0.875, "test_count": 359}
    expected = (
        "Test accuracy **84.1\u00a0%** (95\u00a0% interval 80.0 to 87.5), 359 pictures, used only once, at the end"
    )
    assert words.result(metrics) == expected


def test_time_left_follows_the_pace_of_the_present_stage():
    marks = [(0.0, 0, 50), (5.0, 50, 50), (6.0, 0, 100), (16.0, 20, 100)]
    assert words.time_left(marks) == "about 40 s left"
    assert words.time_left([]) == words.time_left([(0.0, 0, 10)]) == ""
    assert [words.duration(one) for one in (8, 125, 4200)] == ["8 s", "2 min 5 s", "1 h 10 min"]


def test_lines_that_lie_close_share_their_words() -> None:
    marks = ((0.46, "bag of words"), (0.44, "1 nearest"), (0.9, "oracle"))
    assert _near(marks) == [[(0.9, "oracle")], [(0.46, "bag of words"), (0.44, "1 nearest")]]
    drawn = figure("accuracy", [], Frame(classes=None, marks=marks))
    said = [one.text for one in drawn.layout.annotations if one.text]
    assert "bag of words 46\xa0%, 1 nearest 44\xa0%" in said and "oracle 90\xa0%" in said
    assert len([one for one in drawn.layout.shapes if one.type == "line"]) >= 3


def test_a_curve_that_cannot_move_is_not_said_to_improve() -> None:
    rows = [
        {"split": "validation", "domain": "target", "phase": 1, "epoch": float(epoch), "step": epoch,
         "seconds": float(epoch), "loss": 2.67, "accuracy": 0.42}
        for epoch in (0, 1)
    ]  # fmt: skip
    said = sentences.about_accuracy(pd.DataFrame(rows), 12, "", 810)
    assert "improving" not in said and "the same as before the first step" in said

"""What a race says: statistics over seeds, verdicts, Taylor and Stone by hand, labels saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from transfer import Experiment
from transfer.insight import gain, label_curve, race
from transfer.insight.seeds import band, difference, spread

BASE = Experiment(source="mnist_5k", labels_per_class=1)


@dataclass(frozen=True)
class Made:
    """A run as the insight reads it."""

    id: str
    experiment: Experiment
    metrics: dict[str, Any] = field(default_factory=dict)
    state: str = "finished"
    seconds: float = 1.0
    environment: dict[str, Any] = field(default_factory=dict)


def made(strategy: str, scores: list[float], state: str = "finished", pictures: int = 0, **changes: Any) -> list[Made]:
    """A run a score, with seeds from 0, tested on so many pictures."""
    asked = BASE.but(strategy=strategy, **changes)
    return [
        Made(f"{strategy}{asked.labels_per_class}{seed}", asked.but(seed=seed),
             {"test_accuracy": score, "validation_accuracy": score, "seconds": 2.0, "trainable_weights": 5,
              "train_pictures": 900, "chance": 0.1} | ({"test_count": pictures} if pictures else {}), state)
        for seed, score in enumerate(scores)
    ]  # fmt: skip


def test_the_interval_over_seeds_is_scipys() -> None:
    values = [0.81, 0.9, 0.86, 0.7]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = spread(values)
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))
    assert spread(values, 0.0, 0.85).high == 0.85
    assert not spread([0.9]).known


def test_a_band_is_the_interval_at_every_x_and_ends_with_the_shortest_curve() -> None:
    x = np.array([0.0, 1.0, 2.0])
    curves = [(x, np.array([0.1, 0.5, 0.9])), (x[:2], np.array([0.3, 0.7])), (x, np.array([0.2, 0.6, 1.0]))]
    grid, mean, low, high = band(curves, 0.0, 1.0)
    assert grid.tolist() == [0.0, 1.0]
    assert mean == pytest.approx([0.2, 0.6])
    expected = spread([0.5, 0.7, 0.6])
    assert (low[1], high[1]) == pytest.approx((expected.low, expected.high))
    assert low[0] == 0.0, "no accuracy below nothing"


def test_competitors_are_runs_that_differ_in_more_than_the_seed() -> None:
    several = race.arms([*made("lora", [0.9, 0.8]), *made("from_scratch", [0.5]), *made("mcc", [0.5])])
    assert [(arm.name, len(arm.runs)) for arm in several] == [("LoRA", 2), ("From scratch", 1), ("MCC", 1)]
    by_labels = race.arms([*made("lora", [0.9]), *made("lora", [0.9], labels_per_class=None)])
    assert [arm.name for arm in by_labels] == ["1 label per class", "all labels"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ([0.90, 0.91, 0.92], [0.5, 0.51, 0.53], "LoRA (91.0\u00a0%, 88.5 to 93.5) is best, 39.7 points (38.2 to 41.1"),
        (
            [0.90, 0.91, 0.92],
            [0.89, 0.93, 0.88],
            "No winner: LoRA (91.0\u00a0%, 88.5 to 93.5) is highest, but its lead",
        ),
        ([0.9], [0.61], "One seed: can't say who is best. LoRA (90.0\u00a0%) is highest, 29.0 points above"),
        ([0.9], [0.61, 0.62], "One seed of LoRA: can't say"),
        ([], [0.5, 0.6], "nothing to compare it with"),
    ],
)
def test_no_winner_is_named_whom_chance_may_explain(first: list[float], second: list[float], said: str) -> None:
    assert said in race.verdict(race.arms([*made("lora", first), *made("from_scratch", second)]))


def test_three_equal_seeds_are_no_certainty() -> None:
    runs = [*made("lora", [0.9] * 3, pictures=100), *made("fine_tuning", [0.88] * 3, pictures=100)]
    lora, tuning = race.arms(runs)
    # Wilson's intervals of 270 and of 264 in 300, and Newcombe's of their difference, by hand.
    assert lora.test is not None and (lora.test.low, lora.test.high) == pytest.approx((0.8609, 0.9290), abs=1e-4)
    found = race.lead(lora, tuning)
    assert found is not None and (found.mean, found.low, found.high) == pytest.approx((0.02, -0.0306, 0.0708), abs=1e-4)
    assert race.verdict([lora, tuning]).startswith("No winner: LoRA (90.0\u00a0%, 86.1 to 92.9) is highest")
    assert not spread([0.4, 0.4, 0.4]).known, "equal values of what is no accuracy"
    perfect = race.arms(made("lora", [1.0] * 3, pictures=20))[0].test
    assert perfect is not None and perfect.high == 1.0 and perfect.low == pytest.approx(0.9398, abs=1e-4)


def test_seeds_are_compared_in_pairs() -> None:
    # Bands overlap, for labels are luckier with some seeds; with each seed LoRA is 3 points ahead.
    runs = [*made("lora", [0.83, 0.90, 0.97], pictures=5_000), *made("fine_tuning", [0.80, 0.87, 0.94], pictures=5_000)]
    lora, tuning = race.arms(runs)
    assert lora.test is not None and tuning.test is not None and not lora.test.above(tuning.test)
    assert race.beats(lora, tuning) and "is best, 3.0 points (2.3 to 3.7, seed by seed) ahead" in race.verdict(
        race.arms(runs)
    )
    others = [
        Made(f"other{run.id}", run.experiment.but(seed=7 + at), run.metrics) for at, run in enumerate(tuning.runs)
    ]
    assert not race.beats(lora, race.arms(others)[0]), "with other seeds there is nothing to pair"


def test_all_that_beat_from_scratch_are_said_to_though_none_of_them_wins() -> None:
    ways = {"lora": [0.90, 0.92], "fine_tuning": [0.91, 0.90], "mcc": [0.905, 0.9], "from_scratch": [0.62, 0.625]}
    several = race.arms([run for way, scores in ways.items() for run in made(way, scores, pictures=600)])
    assert race.verdict(several).startswith(
        "All three beat from scratch by 28 to 29 points; among them there is no winner: "
    )
    lost = race.arms([*[run for arm in several for run in arm.runs], *made("dann", [0.6, 0.61], pictures=600)])
    assert race.verdict(lost).startswith("LoRA, Fine-tuning and MCC beat from scratch by 28 to 29 points; among")
    level = race.arms([*made("lora", [0.62, 0.64], pictures=600), *made("from_scratch", [0.62, 0.625], pictures=600)])
    assert race.verdict(level).startswith("No winner: ")


def test_intervals_hold_what_they_promise() -> None:
    """Of 1,000 made-up races each, at least 95 of 100 intervals hold the truth, few pictures and equal seeds or not."""
    random = np.random.default_rng(0)
    for truth, between, tested in ((0.99, 0.0, 50), (0.9, 0.0, 200), (0.7, 0.05, 200), (0.5, 0.0, 1_000)):
        skill = np.clip(random.normal(truth, between, (1_000, 3)), 0, 1)
        scores = random.binomial(tested, skill) / tested
        held = [one.low <= truth <= one.high for one in (spread(row, 0, 1, 3 * tested) for row in scores)]
        assert np.mean(held) > 0.935, (truth, between, tested)
    # Without the pictures' share, three equal seeds would be sure of it, and wrong.
    bare = [row.min() < row.max() for row in random.binomial(50, 0.99, (1_000, 3))]
    assert np.mean(bare) < 0.85


def test_paired_differences_hold_what_they_promise() -> None:
    random = np.random.default_rng(1)
    for gap, lucky in ((0.0, 0.0), (0.02, 0.05)):
        luck = random.normal(0, lucky, (1_000, 3))
        ours, theirs = (random.binomial(200, np.clip(0.85 + step + luck, 0, 1)) / 200 for step in (gap, 0.0))
        found = [difference(one, other, 600) for one, other in zip(ours, theirs, strict=True)]
        assert np.mean([one.low <= gap <= one.high for one in found]) > 0.935, (gap, lucky)
        assert gap or np.mean([one.low > 0 for one in found]) < 0.025, "a winner by luck"


def test_of_one_seed_nobody_can_say_whether_transfer_helped() -> None:
    runs = [*made("lora", [0.9], pictures=600), *made("from_scratch", [0.61], pictures=600)]
    x = np.array([0.0, 1.0])
    curves = {run.id: (x, np.array([0.1, run.metrics["test_accuracy"]])) for run in runs}
    (found,) = gain.gains(race.arms(runs), curves)
    assert gain.sentence(found) == "LoRA: +29.0 points over from scratch. One seed: can't say whether that is luck."
    assert gain.summary([found]) == ["One seed: can't say (1 of 1): LoRA (+29.0 points)."]


def test_no_verdict_before_all_have_ended_and_failures_are_told() -> None:
    live = [*made("lora", [0.9, 0.9]), *made("from_scratch", [0.1, 0.1], "running")]
    assert race.verdict(race.arms(live)).startswith("No verdict yet: 2 of 4")
    failed = [*made("lora", [0.9, 0.91]), *made("from_scratch", [0.1, 0.12])]
    failed.append(Made("x", BASE.but(seed=9), {}, "failed"))
    assert "1 of 5 runs failed" in race.verdict(race.arms(failed))


def test_a_verdict_holds_for_one_data_set_and_one_number_of_labels() -> None:
    scores = {"lora": [0.9, 0.91, 0.92], "from_scratch": [0.5, 0.51, 0.52], "adabn": [0.7, 0.71, 0.72]}
    both = [run for labels in (1, 5) for way in ("lora", "from_scratch")
            for run in made(way, scores[way], labels_per_class=labels)]  # fmt: skip
    both += made("adabn", scores["adabn"], labels_per_class=0)
    said = race.verdicts(race.arms(both))
    assert [heading for heading, _ in said] == ["1 label per class", "5 labels per class"]
    assert all("LoRA (91.0" in words and "20.0 points ahead of AdaBN" in words for _, words in said)
    elsewhere = made("from_scratch", [0.95, 0.96, 0.97], target="faces", source=None)
    by_target = race.verdicts(race.arms([*made("lora", scores["lora"]), *elsewhere]))
    assert [heading for heading, _ in by_target] == ["optdigits", "Faces or not"]
    assert all("nothing to compare it with" in words for _, words in by_target)


def test_labels_alone_are_compared_with_one_another() -> None:
    runs = [*made("lora", [0.5, 0.51, 0.52]), *made("lora", [0.9, 0.91, 0.92], labels_per_class=5)]
    ((heading, words),) = race.verdicts(race.arms(runs))
    assert heading == "" and words.startswith("5 labels per class (91.0") and "40.0 points ahead" in words


def test_a_run_that_was_stopped_has_not_spent_the_budget_and_does_not_count() -> None:
    runs = [*made("lora", [0.9, 0.91]), *made("from_scratch", [0.5, 0.51])]
    runs.append(Made("x", BASE.but(strategy="lora", seed=9), {"test_accuracy": 0.1}, "stopped"))
    several = race.arms(runs)
    assert len(several[0].ended) == 2
    assert "1 of 5 were stopped early" in race.verdict(several)


def test_the_table_has_best_and_last_and_the_interval() -> None:
    runs = made("lora", [0.9, 0.8])
    points = {run.id: pd.DataFrame({"epoch": [0, 1, 2], "accuracy": [0.1, 0.95, 0.7]}) for run in runs}
    row = race.table(race.arms(runs), points).iloc[0]
    assert (row["name"], row["ended"], row["last"]) == ("LoRA", 2, 0.7)
    assert (row["best"], row["test"], row["low"]) == pytest.approx((0.85, 0.85, spread([0.9, 0.8], 0).low))


def test_taylor_and_stone_by_hand() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    transfer, scratch = np.array([0.4, 0.8, 0.9, 0.9]), np.array([0.1, 0.3, 0.5, 0.9])
    assert gain.jumpstart([(transfer, scratch)]).mean == pytest.approx(0.3)
    assert gain.area(x, scratch) == pytest.approx(0.2 + 0.4 + 0.7)
    # (0.6 + 0.85 + 0.9) / (0.2 + 0.4 + 0.7) - 1
    assert gain.area_ratio((x, transfer), (x, scratch)) == pytest.approx(2.35 / 1.3 - 1)
    assert gain.time_to(0.7, x, scratch) == pytest.approx(2.5)
    assert gain.time_to(0.4, x, transfer) == 0.0
    assert gain.time_to(0.95, x, transfer) is None


def test_areas_are_compared_over_the_stretch_both_have() -> None:
    long, short = np.array([0.0, 2.0, 4.0]), np.array([0.0, 3.0])
    assert gain.area_ratio((long, np.ones(3)), (short, np.full(2, 0.5))) == pytest.approx(1.0)


def test_gains_are_taken_within_a_seed_and_negative_transfer_is_called_by_its_name() -> None:
    runs = [*made("lora", [0.3, 0.5, 0.71]), *made("from_scratch", [0.5, 0.7, 0.9])]
    x = np.array([0.0, 1.0])
    curves = {run.id: (x, np.array([0.1, run.metrics["test_accuracy"]])) for run in runs}
    (found,) = gain.gains(race.arms(runs), curves)
    # Between seeds lie 20 points, between the two within a seed always about 20: only the pairs can tell.
    assert found.asymptotic.mean == pytest.approx(np.mean([-0.2, -0.2, -0.19]))
    assert found.asymptotic.high is not None and found.asymptotic.high < 0
    assert "negative transfer" in gain.sentence(found)
    assert found.threshold == pytest.approx(0.63)
    assert found.never == (2, 1) and found.sooner is None
    assert gain.summary([found]) == ["**Negative transfer** (1 of 1): LoRA."]


def test_there_is_no_threshold_where_from_scratch_learned_nothing() -> None:
    runs = [*made("lora", [0.8, 0.9]), *made("from_scratch", [0.11, 0.12])]
    x = np.array([0.0, 1.0])
    curves = {run.id: (x, np.array([0.1, run.metrics["test_accuracy"]])) for run in runs}
    (found,) = gain.gains(race.arms(runs), curves)
    assert found.flat and found.sooner is None
    assert gain.frame([found])["sooner"].tolist() == ["from scratch stayed near chance"]


def test_from_scratch_is_that_with_the_same_labels() -> None:
    runs = [*made("lora", [0.9]), *made("from_scratch", [0.1], labels_per_class=5), *made("from_scratch", [0.2])]
    several = race.arms(runs)
    found = gain.scratch_of(several[0], several)
    assert found is not None and found.experiment.labels_per_class == 1


def test_crossings_and_labels_saved_by_hand() -> None:
    labels = np.array([1.0, 10.0, 100.0])
    one, other = np.array([0.6, 0.7, 0.8]), np.array([0.2, 0.5, 1.0])
    # The gap goes from +0.2 at 10 to -0.2 at 100: halfway in the logarithm.
    ((at, height),) = label_curve.crossings(labels, one, other)
    assert (at, height) == pytest.approx((10**1.5, 0.75))
    assert label_curve.labels_needed(0.35, labels, other) == pytest.approx(10**0.5)
    assert label_curve.labels_needed(0.1, labels, other) == 1.0
    assert label_curve.labels_needed(1.1, labels, other) is None


def test_labels_saved_over_seeds_and_a_bound_where_scratch_never_gets_there() -> None:
    runs = []
    for labels, transfer, scratch in ((1, [0.6, 0.6], [0.2, 0.2]), (10, [0.9, 0.9], [0.6, 0.4])):
        runs += made("lora", transfer, labels_per_class=labels)
        runs += made("from_scratch", scratch, labels_per_class=labels)
    lora, scratch = label_curve.curves(race.arms(runs))
    assert lora.name == "LoRA" and lora.labels.tolist() == [1, 10]
    few, many = label_curve.labels_saved(lora, scratch)
    assert few.beyond == 1 and few.saved is not None and few.saved.mean == pytest.approx(9)
    assert many.saved is None and many.beyond == 2
    (row,) = label_curve.frame([lora, scratch]).to_dict("records")
    assert row == {"Way": "LoRA", "with 1 a class": "at least 9", "with 10 a class": "never reached with 10"}
    assert label_curve.frame([lora]).empty

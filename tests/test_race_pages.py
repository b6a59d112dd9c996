"""The race on the Lab page, as Streamlit runs it; nothing is trained here."""

from __future__ import annotations

import time

from tests.test_pages import METRICS, button, home, live, opened, said  # noqa: F401  # home is a fixture
from transfer import Experiment
from transfer.engine.events import Point, to_record
from transfer.lab import Lab
from transfer.lab.process import myself
from transfer.lab.races import About, entries

BASE = Experiment(source="mnist_5k", labels_per_class=1)


def raced(scores, seeds=2, **values):
    """A race whose runs have ended with these test scores, by strategy."""
    lab = Lab()
    made, _ = entries(BASE, {"strategy": list(scores), **values}, "epochs", 2, range(seeds), scratch=False)
    race = lab.races.start(made, About(amount=2))
    while run := lab.store.claim(myself(), "cpu"):
        score = scores[run.experiment.strategy] + 0.001 * run.experiment.seed
        rows = []
        for epoch in range(3):
            point = Point("validation", "target", 1, float(epoch), epoch, float(epoch),
                          {"loss": 1.0, "accuracy": 0.1 + (score - 0.1) * epoch / 2})  # fmt: skip
            rows.append((time.time(), *to_record(point)))
        lab.store.append(run.id, rows)
        metrics = METRICS | {"test_accuracy": score, "seconds": 2.0, "trainable_weights": 10, "peak_memory_mb": 900.0}
        metrics |= {"train_pictures": 10, "chance": 0.1}
        lab.store.finish(run, "finished", metrics, {}, "")
    return race


def test_a_race_is_chosen_and_started_with_one_press_and_its_id_is_in_the_address():
    app = opened()
    button(app, "Race several").click().run()
    assert not app.exception
    assert "4 competitors × 3 seeds = 12 runs" in said(app)
    button(app, "Start the race").click().run()
    assert not app.exception
    (race,) = Lab().races.newest()
    assert app.query_params["race"] in (race.id, [race.id])
    runs = Lab().races.runs(race.id)
    assert len(runs) == 12 and {run.experiment.seed for run in runs} == {0, 1, 2}
    assert "No verdict yet: 0 of 12 runs have ended" in said(app)


def test_accuracy_against_labels_is_one_action():
    app = opened()
    button(app, "Race several").click().run()
    button(app, "Accuracy against labels: 1 to all").click().run()
    assert not app.exception
    assert "24 competitors × 3 seeds = 72 runs" in said(app)


def test_a_race_that_is_over_has_chart_table_verdict_and_gains():
    app = opened(race=raced({"lora": 0.9, "from_scratch": 0.5}))
    assert not app.exception
    assert "LoRA (90.1\u00a0%" in said(app) and "is best, 40.0 points (36.7 to 43.2, seed by seed) ahead" in said(app)
    assert app.dataframe[0].value["Competitor"].tolist() == ["LoRA", "From scratch"]
    assert "LoRA: transfer helped, +40.0 points (+36.7 to +43.2)." in said(app)
    (chart,) = live(app)
    assert "LoRA (2 of 2)" in [trace.get("name") for trace in chart["figure"]["data"]] and not chart["url"]
    button(app, "Three more seeds").click().run()
    assert len(Lab().races.runs(Lab().races.newest()[0].id)) == 10


def test_labels_that_raced_are_drawn_as_a_curve_with_the_labels_saved():
    app = opened(race=raced({"lora": 0.9, "from_scratch": 0.5}, labels_per_class=[1, 5]))
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert "**1 label per class** · LoRA" in said(app) and "**5 labels per class** · LoRA" in said(app)
    (saved,) = [one.value for one in app.dataframe if "Way" in one.value]
    assert saved["Way"].tolist() == ["LoRA"] and "with 5 a class" in saved.columns
    names = [trace.get("name") for trace in live(app)[0]["figure"]["data"]]
    assert [name for name in names if name] == ["LoRA (2 of 2)", "From scratch (2 of 2)"], "of one number of labels"


def test_the_settings_of_a_race_that_is_opened_are_on_the_left():
    app = opened(race=raced({"lora": 0.9, "from_scratch": 0.5}, labels_per_class=[5]))
    assert [one.value for one in app.number_input if one.label == "Labels per class"] == [5]
    assert [one.value for one in app.number_input if one.label == "Epochs"] == [2]


def test_a_race_whose_runs_were_deleted_says_so_and_is_not_repeated():
    race = raced({"lora": 0.9})
    lab = Lab()
    lab.remarks.remove([run.id for run in lab.races.runs(race)])
    app = opened(race=race)
    assert not app.exception and "All runs of this race were deleted" in app.info[0].value
    button(app, "Three more seeds").click().run()
    assert not app.exception and "All runs of this race were deleted" in app.error[0].value


def test_a_run_of_a_race_that_failed_can_be_reached():
    race = raced({"lora": 0.9})
    lab = Lab()
    lab.races.extend(race, 1)
    run = lab.store.claim(myself(), "cpu")
    lab.store.finish(run, "failed", {}, {}, "Traceback\nNo room on the disk.")
    labels = [one.proto.label for one in opened(race=race).get("page_link")]
    assert "**LoRA, seed 2** · failed: No room on the disk." in labels


def test_an_unknown_race_is_met_with_a_friendly_word():
    app = opened(race="nonsense")
    assert not app.exception
    assert "There is no race nonsense here" in said(app)


def test_a_live_race_is_one_line_on_other_pages():
    lab = Lab()
    lab.races.start(entries(BASE, {"strategy": ["lora"]}, seeds=(0, 1))[0], About())
    labels = [one.proto.label for one in opened("runs").get("page_link")]
    assert [one for one in labels if "Race, 4 runs to go" in one] and not [one for one in labels if "Waiting" in one]

"""The Runs and Compare pages as Streamlit runs them, and the figures behind them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.runs import actions
from pages.parts.runs import table as runs_table
from tests.test_pages import ROOT, button, home, live, opened, recorded, said  # noqa: F401  # home is a fixture
from transfer import Experiment, settings
from transfer.insight import compare, race
from transfer.insight.race import arms
from transfer.lab import Lab


def with_selected(run):
    """The Runs page with that run's row selected."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    app.switch_page("pages/runs.py")
    app.session_state["selected_runs"] = [run]
    return app.run()


def test_the_table_keeps_up_with_what_changes():
    lab = Lab()
    first = recorded()
    assert lab.summary.table()["run"].tolist() == [first]
    second = recorded("running")
    lab.remarks.say(first, tags=["thesis"])
    table = lab.summary.table()
    assert table["run"].tolist() == [second, first]
    assert table["state"].tolist() == ["running", "finished"]
    assert table["took"].tolist()[1] >= 0.0 and not set(table.columns[table.columns.duplicated()])
    assert runs_table.shown(table)["Seed"].tolist() == [0, 0]
    assert table["tags"].tolist() == [[], ["thesis"]]
    lab.discard(first)
    lab.store.finish(lab.run(second), "stopped", {"validation_accuracy": 0.5}, {}, "")
    table = lab.summary.table()
    assert table["state"].tolist() == ["stopped"] and table["validation_accuracy"].tolist() == [0.5]


def test_search_looks_into_settings_titles_tags_and_notes():
    one, other = recorded(strategy="feature_extraction"), recorded(seed=7)
    Lab().remarks.say(one, tags=["thesis"], note="odd at epoch 3")
    table = Lab().summary.table()
    assert runs_table.found(table, "odd THESIS")["run"].tolist() == [one]
    assert runs_table.found(table, "fine-tuning seed 7")["run"].tolist() == [other]
    assert runs_table.found(table, "seed 0")["run"].tolist() == [one], "not every run that has a 0 in its id"
    assert runs_table.found(table, "mnist")["run"].tolist() == [other, one]
    assert runs_table.found(table, "[").empty


def test_a_spreadsheet_gets_every_setting_and_figure():
    run = recorded(seed=7)
    lines = pd.read_csv(io.BytesIO(actions.csv(Lab().summary.table())))
    assert lines.loc[0, "run"] == run and lines.loc[0, "seed"] == 7 and lines.loc[0, "test_accuracy"] == 0.9
    assert set(Experiment.model_fields) <= set(lines.columns)


def test_deleting_asks_and_is_undone():
    run = recorded()
    app = with_selected(run)
    button(app, "Delete").click().run()
    assert not app.exception and Lab().runs() == []
    button(app, "Undo").click().run()
    assert [one.id for one in Lab().runs()] == [run]


def test_deleting_says_what_came_of_a_run():
    run = recorded()
    settings.run_folder(run).mkdir(parents=True)
    (settings.run_folder(run) / "experiment.json").write_text(Lab().run(run).experiment.canonical_json())
    assert "built on it" not in said(with_selected(run))
    Lab().store.add_run(Experiment(backbone=f"run:{run}"))
    app = with_selected(run)
    assert "1 other run was built on it: Fine-tuning" in said(app) and "keep working" in said(app)


def test_a_run_is_repeated_and_put_away():
    run = recorded(seed=3)
    app = with_selected(run)
    button(app, "Run again").click().run()
    assert [one.experiment.seed for one in Lab().runs()] == [3, 3]
    app = with_selected(run)
    button(app, "Archive").click().run()
    assert Lab().remarks.all()[run].archived


def test_settings_are_taken_to_the_lab_to_be_changed():
    run = recorded(seed=9)
    app = with_selected(run)
    button(app, "Change and run").click().run()
    assert app.number_input(key="field:seed").value == 9
    assert not app.query_params


def test_runs_that_differ_only_in_seed_are_a_mean_and_what_differs_is_listed():
    runs = [recorded(seed=0), recorded(seed=1), recorded(strategy="lora")]
    app = opened("compare", runs=",".join(runs))
    assert not app.exception
    names = [trace.get("name") for trace in live(app)[0]["figure"]["data"]]
    assert "Fine-tuning (mean of 2)" in names
    assert app.dataframe[0].value.index.tolist() == ["strategy", "seed"]
    app.toggle(key="compare_mean").set_value(False).run()
    names = [trace.get("name") for trace in live(app)[0]["figure"]["data"]]
    assert len(names) == 3 and "Fine-tuning, seed 1" in names


def test_live_runs_are_lines_of_their_own_to_which_points_come_and_those_that_ended_are_the_mean():
    ended, going = [recorded(seed=0), recorded(seed=1)], recorded("running", seed=2)
    app = opened("compare", runs=",".join([*ended, going]))
    (chart,), (status,) = live(app), live(app, "status")
    assert chart["url"] == status["url"] == f"/live/{going}" and status["structures"] == {going: ["running", None, 1]}
    names = [trace.get("name") for trace in chart["figure"]["data"]]
    (series,) = chart["series"]
    assert "Fine-tuning (mean of 2)" in names and names[series["trace"]] == "Fine-tuning, seed 2"
    assert (series["run"], series["split"]) == (going, "validation") and chart["known"] == status["known"]


def test_who_appends_to_a_smoothed_curve_is_told_where_it_stands():
    steps = np.arange(30.0)
    said = {
        "n": steps,
        "split": "train",
        "domain": "target",
        "phase": 1,
        "epoch": steps,
        "step": steps,
        "seconds": steps,
    }
    history = pd.DataFrame(said | {"loss": np.where(steps == 4, np.nan, np.cos(steps))})
    run = Lab().run(recorded("running"))
    arms, names = race.arms([run]), {run.id: "a run"}
    for weight in (0.3, 0.9):
        view = compare.View("loss", "train", smoothing=weight)
        calm = compare.figure(arms, {run.id: history}, names, view).data[-1]
        state = calm.meta["smooth"]
        assert (state["weight"], state["phase"], state["count"]) == (weight, 1, 29)
        assert state["sum"] / (1 - weight ** state["count"]) == pytest.approx(calm.y[-1])


def test_compare_says_when_its_runs_had_different_pictures():
    runs = [
        recorded(seed=seed, environment={"published": {"optdigits": version}}) for seed, version in ((0, "a"), (1, "b"))
    ]
    assert "optdigits has changed between these runs" in said(opened("compare", runs=",".join(runs)))
    assert "has changed" not in said(opened("compare", runs=runs[0]))


def test_compare_is_of_use_when_nothing_is_selected_or_gone():
    assert "Select runs on the Runs page" in opened("compare").info[0].value
    assert "1 of 1 runs no longer exist" in said(opened("compare", runs="nonsense"))


def test_what_differs_counts_options_one_by_one():
    one, other = Experiment(options={"rank": 4}), Experiment(options={"rank": 8, "alpha": 1}, seed=2)
    found = compare.difference({"a": one, "b": other})
    assert found.index.tolist() == ["seed", "option rank", "option alpha"]
    assert found.loc["option alpha"].tolist() == ["as usual", "1"]
    assert compare.difference({"a": one, "b": one}).empty
    ways = compare.difference({"a": one, "b": one.but(strategy="from_scratch", options={})})
    assert ways.loc["strategy"].tolist() == ["Fine-tuning", "From scratch"]


def test_a_blind_guess_is_drawn_where_all_runs_have_one_target():
    view = compare.View(classes=4)
    (line,) = compare.figure([], {}, {}, view).layout.shapes
    assert line.y0 == 0.25
    assert not compare.figure([], {}, {}, compare.View("loss", classes=4)).layout.shapes
    assert not compare.figure([], {}, {}, compare.View(classes=None)).layout.shapes


def test_random_weights_have_no_source_in_the_table():
    recorded(strategy="from_scratch")
    recorded()
    assert runs_table.shown(Lab().summary.table())["Source"].tolist() == ["MNIST-5k", "none"]


def test_smoothing_by_hand_begins_anew_with_each_phase():
    y, phases = np.array([1.0, 3.0, np.nan, 5.0, 7.0]), np.array([0, 0, 0, 1, 1])
    # (0.5 * 1 + 3) / 1.5 and (0.5 * 5 + 7) / 1.5
    assert compare.smooth(y, phases, 0.5) == pytest.approx([1, 3.5 / 1.5, np.nan, 5, 9.5 / 1.5], nan_ok=True)
    assert compare.smooth(y, phases, 0.0) is y


def test_a_smoothed_curve_has_the_raw_one_behind_and_validation_is_never_smoothed():
    run = recorded()
    lab = Lab()
    history = lab.history(run)
    for split, traces in (("train", 2), ("validation", 1)):
        history["split"] = split
        view = compare.View("loss", split, smoothing=0.5)
        drawn = compare.figure(arms([lab.run(run)]), {run: history}, {run: "it"}, view)
        assert len(drawn.data) == traces


def test_what_a_run_took_is_not_what_it_was_granted():
    recorded(seconds=5.0), recorded(epochs=2)
    table = Lab().summary.table()
    assert table["seconds"].isna().tolist() == [True, False]
    assert all(0 <= took < 5 for took in table["took"])
    assert not opened("runs").exception

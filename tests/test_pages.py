"""The pages as Streamlit runs them, over a record of runs made by hand; nothing is trained here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.choose import estimates
from transfer import Experiment, settings
from transfer.engine.events import PhaseBegan, Point, to_record
from transfer.lab import Lab
from transfer.lab.spawner import Spawner

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("tensorflow", "keras", "sklearn", "skimage")
METRICS = {
    "test_accuracy": 0.9, "test_low": 0.87, "test_high": 0.93, "test_count": 629, "best_epoch": 2.0,
    "validation_accuracy": 0.88,
}  # fmt: skip


ESTIMATE = {"trainable": 650, "weights": 65_000, "seconds": 12.0, "source_seconds": 8.0, "memory_mb": 1024.0}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A lab of its own, in which no worker is started."""
    import streamlit as st

    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.delenv("TRANSFER_STORE", raising=False)
    monkeypatch.setattr(Spawner, "ensure", lambda *_: None)
    monkeypatch.setattr(estimates, "_measured", lambda *_: dict(ESTIMATE))
    monkeypatch.setattr(estimates, "SETTLED_SECONDS", 0.0)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def opened(page="lab", **query):
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def button(app, words):
    return next(one for one in app.button if one.label == words)


def live(app, kind="chart"):
    """What the live parts of that kind were given to draw."""
    given = [json.loads(one.proto.json) for one in app.get("bidi_component")]
    return [one for one in given if one["kind"] == kind]


def said(app):
    told = [one.value for kind in (app.markdown, app.caption, app.success, app.warning) for one in kind]
    told += [f"**{one['title']}** · {one['said']}" for one in live(app)]
    return "\n".join([*told, *(f"**{one['title']}** · {one['moved']['said']}" for one in live(app, "moved"))])


def recorded(state="finished", metrics=METRICS, error="", environment=None, **changes):
    """The id of a run that said a little and ended."""
    from transfer.lab.process import myself

    lab = Lab()
    experiment = Experiment().but(source="mnist_5k", labels_per_class=1, **changes)
    run = lab.submit(experiment, reserved=myself())
    claimed = lab.store.claim(myself(), "cpu", only=run)
    events = [PhaseBegan(1, "train the head", "target", 0, 3, 10, 20, {})]
    for epoch in range(3):
        values = {"loss": 2.3 / (1 + epoch), "accuracy": 0.1 + 0.39 * epoch}
        events.append(Point("validation", "target", 1, float(epoch), epoch, float(epoch), values))
    lab.store.append(run, [(time.time(), *to_record(event)) for event in events])
    if state != "running":
        lab.store.finish(claimed, state, metrics, environment or {}, error)
    return run


def test_opens_with_the_default_experiment_and_the_untrained_picture():
    app = opened()
    assert not app.exception
    assert not button(app, "Start").disabled
    assert "**optdigits**" in said(app) and "**MNIST-5k**" in said(app) and "**Fine-tuning**" in said(app)
    assert app.number_input(key="field:labels_per_class").value == 1
    assert len(live(app)) == 2
    assert "Nothing is trained yet" in said(app)


def test_start_submits_the_default_experiment_and_puts_the_run_into_the_address():
    app = opened()
    button(app, "Start").click().run()
    assert not app.exception
    (run,) = Lab().runs()
    assert run.experiment == Experiment().but(source="mnist_5k", labels_per_class=1)
    assert app.query_params["run"] in (run.id, [run.id])
    assert {"Pause", "Stop and keep the best", "Discard"} <= {one.label for one in app.button}


def test_every_field_of_an_experiment_is_drawn_with_its_help():
    from pages.parts.choose.options import ON_CARDS

    app = opened()
    keys = {
        one.key for kind in (app.number_input, app.selectbox, app.toggle, app.slider, app.multiselect) for one in kind
    }
    assert {f"field:{name}" for name in Experiment.model_fields if name not in ON_CARDS} <= keys
    assert all(one.help for kind in (app.number_input, app.selectbox, app.slider) for one in kind)


def test_an_impossible_combination_disables_start_and_offers_the_nearest_possible():
    app = opened()
    app.session_state["chosen"]["source"] = None
    app.run()
    assert button(app, "Start").disabled
    assert "Small CNN is not pretrained" in said(app)
    button(app, "Train on MNIST-5k first").click().run()
    assert not button(app, "Start").disabled
    assert app.session_state["chosen"]["source"] == "mnist_5k"


def test_from_scratch_says_that_the_source_is_not_used():
    app = opened()
    app.session_state["chosen"] |= {"strategy": "from_scratch", "options": {}}
    app.run()
    assert "Not used: this strategy starts from random weights" in said(app)
    assert app.number_input(key="field:source_epochs").disabled


def test_a_recorded_run_is_drawn_with_its_result_and_its_settings():
    run = recorded(seed=7)
    app = opened(run=run)
    assert not app.exception
    assert "Test accuracy **90.0\u00a0%** (95\u00a0% interval 87.0 to 93.0), 629 pictures" in said(app)
    assert app.number_input(key="field:seed").value == 7
    assert "Validation accuracy 88\u00a0%" in said(app)
    assert button(app, "Run again")
    figure = live(app)[0]["figure"]
    assert {"validation", "best epoch"} <= {trace["name"] for trace in figure["data"]}


@pytest.mark.parametrize(
    ("state", "expected"),
    [("paused", "Paused after"), ("failed", "It was a bug."), ("running", "starting")],
)
def test_states_are_said_in_words(state, expected):
    app = opened(run=recorded(state, {}, "Traceback\nIt was a bug." if state == "failed" else ""))
    assert not app.exception
    words = [one.value for kind in (app.info, app.error) for one in kind]
    words += [one["progress"]["doing"] for one in live(app, "status")]
    assert any(expected in one for one in words)


def test_an_unknown_run_is_met_with_a_friendly_word():
    app = opened(run="nonsense")
    assert not app.exception
    assert "There is no run nonsense here" in said(app)
    assert not button(app, "Start").disabled


def test_a_live_run_is_followed_from_what_is_drawn_and_one_that_has_ended_is_not():
    run = recorded("running")
    app = opened(run=run)
    charts, (status,) = live(app), live(app, "status")
    last = Lab().store.events(run)[-1].n
    for one in (*charts, status):
        assert one["url"] == f"/live/{run}" and one["known"] == {run: last}
    assert {(one["run"], one["split"]) for one in charts[0]["series"]} == {(run, "train"), (run, "validation")}
    assert (
        status["structures"][run][0] == "running"
        and charts[0]["figure"]["data"][charts[0]["star"]]["name"] == "best epoch"
    )
    Lab().store.finish(Lab().run(run), "finished", METRICS, {}, "")
    app.run()
    assert not live(app, "status") and all(one["url"] == "" for one in live(app))


def test_other_runs_are_drawn_over_the_one_shown():
    other, run = recorded(strategy="feature_extraction"), recorded(seed=1)
    app = opened(run=run)
    app.multiselect(key="overlays").select(other).run()
    assert not app.exception
    names = [trace.get("name") for trace in live(app)[0]["figure"]["data"]]
    assert "Fine-tuning, seed 1" in names and "Feature extraction, seed 0" in names


def test_runs_that_read_the_same_can_both_be_chosen():
    first, second, shown = (recorded() for _ in range(3))
    app = opened(run=shown)
    app.multiselect(key="overlays").set_value([first, second]).run()
    assert not app.exception
    assert set(app.multiselect(key="overlays").value) == {first, second}
    names = [trace.get("name") for trace in live(app)[0]["figure"]["data"]]
    assert sum(name is not None and "Fine-tuning" in name for name in names) >= 3


def test_runs_page_is_of_use_when_empty():
    app = opened("runs")
    assert not app.exception
    assert "No runs yet" in app.info[0].value


def test_runs_page_lists_what_was_run():
    recorded(), recorded("paused", {})
    app = opened("runs")
    assert not app.exception
    table = app.dataframe[0].value
    assert table["State"].tolist() == ["paused", "finished"]
    assert table["95 % interval"].tolist() == ["", "87.0 to 93.0 %"]


def test_a_live_run_is_told_on_every_page():
    recorded("running")
    assert "Fine-tuning" in opened("runs").get("page_link")[0].proto.label


def test_pages_never_import_what_trains(home):
    code = f"""
import sys
from streamlit.testing.v1 import AppTest
from transfer.lab.spawner import Spawner
Spawner.ensure = lambda *_: None
app = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=20)
for page in ("lab", "runs", "compare"):
    app.switch_page(f"pages/{{page}}.py").run()
    assert not app.exception, app.exception
print(",".join(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_before_start_the_page_tells_what_becomes_of_each_stage_and_what_it_takes():
    app = opened()
    for _ in range(40):
        app.run()
        if "650" in said(app):
            break
        time.sleep(0.1)
    assert "**650** of 65,000 weights are trained (1.0\u00a0%) · estimated 12 s and 1.0 GB, plus 8 s to learn" in said(
        app
    )
    recorded(seed=0, strategy="lora")
    (settings.cache("sources") / "learned.npz").touch()
    app.run()
    assert "12 s and 1.0 GB" in said(app) and "to learn the source" not in said(app), "LoRA has learned it"
    app.number_input(key="field:seed").set_value(1).run()
    assert "plus 8 s to learn the source first" in said(app), "another seed has another split"
    strips = [one.proto.body for one in app.get("html")]
    assert any("conv1" in one and "copied and trained" in one for one in strips)


def test_a_run_shows_how_far_each_stage_has_moved_and_the_parts_of_its_loss():
    run = recorded("finished", strategy="l2_sp")
    lab = Lab()
    values = {"loss": 1.0, "accuracy": 0.5, "moved:conv1": 0.0, "moved:dense": 0.025}
    parts = {"loss": 1.0, "accuracy": 0.5, "from_start": 0.3, "cross_entropy": 0.9}
    later = values | {"moved:dense": 0.04}
    points = [Point("train", "target", 1, 1.0, 1, 1.0, parts), Point("validation", "target", 1, 2.0, 2, 2.0, values)]
    points += [Point("validation", "target", 1, 3.0, 3, 3.0, later)]
    lab.store.append(run, [(time.time(), *to_record(one)) for one in points])
    app = opened(run=run)
    assert "At epoch 2, dense has moved furthest, by 2.5\u00a0% of its size; conv1 not at all." in said(app)
    assert "**Loss terms**" in said(app)


def test_an_estimate_measured_beside_a_run_is_measured_again(home, monkeypatch):
    path, measured = home / "one.json", []

    def beside(*_):
        measured.append(dict(ESTIMATE, seconds=100.0 / (1 + len(measured))))
        if len(measured) == 1:
            recorded("finished")
        return measured[-1]

    monkeypatch.setattr(estimates, "_measured", beside)
    found = estimates._when_idle(Lab(), {"path": str(path)}, "{}", 10, path)
    assert [one["seconds"] for one in measured] == [100.0, 50.0]
    assert found == json.loads(path.read_text()) == measured[1]

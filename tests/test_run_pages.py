"""The pages of one run in depth and of trying networks, over a run that has really finished; no browser."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.kinds.image import picture_input
from tests.test_pages import live
from tests.trained import QUICK, finished_run, twin
from transfer import settings
from transfer.insight import answers, calibration
from transfer.insight.words import percent
from transfer.lab import Lab, calling
from transfer.lab.process import myself
from transfer.lab.spawner import Spawner

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def run(base) -> str:
    return finished_run(base)


@pytest.fixture(autouse=True)
def home(base, monkeypatch):
    """The lab of the finished run, in which no worker is started."""
    import streamlit as st

    monkeypatch.setenv("TRANSFER_HOME", str(base))
    monkeypatch.setattr(Spawner, "ensure", lambda *_: None)
    st.cache_resource.clear()
    yield base
    st.cache_resource.clear()


@pytest.fixture(scope="module", autouse=True)
def leaves_nothing(base):
    yield
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSFER_HOME", str(base))
        if (found := calling.card()) is not None:
            os.kill(found.who.pid, signal.SIGKILL)


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.session_state["through_app"] = True
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.success, app.warning, app.info, app.error, app.header, app.subheader)
    return "\n".join(one.value for kind in kinds for one in kind)


def param(app: AppTest, name: str) -> str:
    """A parameter of the address: what the test gave is in a list, what the page set is not."""
    found = app.query_params[name]
    return found[0] if isinstance(found, list) else found


def test_without_a_run_or_with_a_wrong_one_the_page_shows_the_way():
    assert "Choose a run" in said(opened("run"))
    assert "There is no run nobody" in said(opened("run", run="nobody"))
    app = opened("run")
    assert {"All runs", "Start a new one in the lab"} <= {one.proto.label for one in app.get("page_link")}


def test_a_run_opens_with_its_curves_and_leads_on(run):
    app = opened("run", run=run)
    assert [one["title"] for one in live(app)] == ["Accuracy", "Loss"] and "Test accuracy" in said(app)
    assert all(one["help"] and one["said"] for one in live(app))
    assert param(app, "part") == "curves"
    assert {"Open in the lab", "Try it"} <= {one.proto.label for one in app.get("page_link")}


def test_the_figures_are_those_of_the_tested_functions(run):
    app = opened("run", run=run, part="metrics")
    found = answers.read(settings.run_folder(run), tuple("0123456789"))
    shown = {one.label: one.value for one in app.metric}
    assert shown["Accuracy"] == percent(Lab().run(run).metrics["test_accuracy"], 1)
    assert shown["F1"] == percent(answers.scores(found)["f1"], 1)
    assert shown["Calibration error"] == percent(calibration.expected_calibration_error(found), 1)
    assert len(app.dataframe[0].value) == 10
    assert all(one.help for one in app.metric)


def test_the_surest_mistake_leads_to_where_the_network_looked(run):
    app = opened("run", run=run, part="mistakes")
    found = answers.read(settings.run_folder(run), tuple("0123456789"))
    first = int(answers.surest_mistakes(found)[0])
    button = next(one for one in app.button if one.key == f"mistake:{first}")
    app = button.click().run()
    assert not app.exception
    assert param(app, "part") == "look" and app.number_input(key="picture").value == first
    assert f"Picture {first}: **{found.classes[found.labels[first]]}**" in said(app)
    assert "Before training" in said(app) and "After training" in said(app)


@pytest.mark.parametrize(
    ("part", "words", "charts"),
    [
        ("confusion", "Click a cell", 1),
        ("plane", "lie among their own class", 2),
        ("moved", "moved furthest", 1),
    ],
)
def test_a_part_says_what_it_tells_and_when_it_misleads(run, part, words, charts):
    app = opened("run", run=run, part=part)
    assert words in said(app) and len(app.get("plotly_chart")) == charts
    assert "Both plots are the same" not in said(app)
    assert any(one.help for one in app.markdown)


def test_about_names_lineage_configuration_and_versions(run):
    app = opened("run", run=run, part="about")
    assert "random weights \u2192 From scratch \u2192 on optdigits" in said(app)
    cells = " ".join(str(one) for frame in app.dataframe for one in frame.value.to_numpy().ravel())
    assert "optdigits" in cells and "tensorflow" in cells and run in cells
    values = dict(app.dataframe[0].value.to_numpy().tolist())
    assert (values["source"], values["early stopping"], values["augment"]) == ("none", "off", "no")


def test_a_run_that_is_not_over_says_when_its_test_is_there(run):
    waiting = Lab().submit(QUICK.but(seed=9), reserved=myself())
    assert "once the run has finished" in said(opened("run", run=waiting, part="confusion"))
    Lab().discard(waiting)


def test_a_picture_is_answered_by_two_networks_side_by_side(run, base, monkeypatch):
    other = twin(base, run)
    app = opened("try_it", runs=f"{run},{other}")
    assert "Draw or upload a picture" in said(app)
    buffer = io.BytesIO()
    picture = np.full((60, 60, 3), 255, "uint8")
    picture[10:50, 28:33] = 0
    Image.fromarray(picture).save(buffer, "PNG")
    monkeypatch.setattr(picture_input, "_drawn", lambda digits: picture_input.checked(buffer.getvalue()))
    app.run()
    assert not app.exception and "what the network sees, 28 x 28" in said(app)
    assert len(app.get("plotly_chart")) == 2 and len(app.subheader) == 2
    assert param(app, "runs") == f"{run},{other}"


def test_what_cannot_be_answered_is_said_and_the_rest_is_shown(run, base, monkeypatch):
    monkeypatch.setattr(picture_input, "_drawn", lambda digits: np.zeros((50, 50, 3), "uint8"))
    broken = twin(base, run)
    (settings.run_folder(broken) / "weights.npz").write_bytes(b"PK")
    app = opened("try_it", runs=f"{broken},{run}")
    assert "not there" in said(app) and "what the network sees" in said(app)


def test_these_pages_import_no_tensorflow(run):
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from streamlit.testing.v1 import AppTest
for page, part in (("run", "curves"), ("run", "mistakes"), ("try_it", "")):
    app = AppTest.from_file({str(ROOT / "app.py")!r}, default_timeout=60)
    app.session_state["through_app"] = True
    app.switch_page(f"pages/{{page}}.py")
    app.query_params["run"], app.query_params["part"] = {run!r}, part
    app.run()
    assert not app.exception, app.exception
print([name for name in ("tensorflow", "keras", "skimage", "mlxtend") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"

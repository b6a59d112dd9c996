"""Choosing a backbone on the page: order, limits, speed, and a network of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest
from keras import layers

from pages.parts.choose import networks
from tests.test_pages import home, opened, recorded, said  # noqa: F401  # home is a fixture
from transfer import Experiment, settings
from transfer.backbones import hub, saved_model
from transfer.engine.measure import speed
from transfer.lab import Lab, speeds


def gallery(app):
    """The page with the gallery of backbones open."""
    return app.button(key="change:backbone").click().run()


def offered(app) -> list[str]:
    return [str(one.key).removeprefix("pick:backbone:") for one in app.button if "pick:backbone:" in str(one.key)]


def test_networks_are_ordered_and_filtered_by_accuracy_size_and_measured_speed(home) -> None:  # noqa: F811  # the fixture
    for key, rate in (("vgg16", 20.0), ("mobilenet", 900.0)):
        found = {"key": key, "pictures_per_second": rate, "machine": speeds.platform.node()}
        settings.speed_file(key).write_text(json.dumps(found))
    app = gallery(opened())
    assert len(offered(app)) == 43
    assert "speed not measured yet" in said(app) and "900 pictures/s on this machine" in said(app)
    app.selectbox(key="networks_order").select("Most accurate first").run()
    assert offered(app)[:2] == ["convnext_xlarge", "convnext_large"]
    app.selectbox(key="networks_order").select("Fastest first").run()
    assert offered(app)[:2] == ["mobilenet", "vgg16"]
    app.number_input(key="networks_accuracy").set_value(75.0).run()
    app.number_input(key="networks_size").set_value(4.0).run()
    assert set(offered(app)) == {"efficientnet_lite0", "mobilenet_v3_large"}
    app.number_input(key="networks_speed").set_value(10.0).run()
    assert offered(app) == [] and "No matches" in said(app)


def test_speed_is_measured_and_kept(home, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    monkeypatch.setattr(speed, "SECONDS", 0.01)
    assert speeds.known() == {}
    found = speed.measure("small_cnn")
    assert speeds.known() == {"small_cnn": found["pictures_per_second"]}
    assert found["pictures_per_second"] > 10 and found["image_size"] == 28


def test_a_network_of_ones_own_is_cut_and_used(home, at_once, tmp_path: Path) -> None:  # noqa: F811  # the fixture
    pixels = keras.Input((16, 16, 1))
    low = layers.Conv2D(2, 3, name="low")(pixels)
    high = layers.Conv2D(3, 3, name="high")(low)
    path = tmp_path / "mine.keras"
    keras.Model(pixels, layers.Dense(2, name="top")(layers.Flatten(name="flat")(high))).save(path)
    app = gallery(opened())
    app.selectbox(key="networks_order").select("Fastest first").run()
    assert "No speed has been measured on this machine yet" in said(app)
    app.text_input(key="network_path").set_value(str(tmp_path / "none.keras")).run()
    assert "no such file" in said(app)
    app.text_input(key="network_path").set_value(str(path)).run()
    assert not app.exception
    assert "grey pictures of 16 × 16" in said(app) and "0 to 1 is assumed" in said(app)
    assert "Its classifier (top, 2 classes) is left out; features are the output of flat" in said(app)
    app.selectbox(key=f"network_cut:{path}").select("low").run()
    app.button(key="network_use").click().run()
    assert not app.exception
    assert app.session_state["chosen"]["backbone"] == f"file:{path}@cut=low"
    assert "mine up to low" in said(app)


def test_a_saved_model_is_used_and_what_cannot_train_it_is_offered_otherwise(home, tmp_path: Path) -> None:  # noqa: F811  # the fixture
    folder = tmp_path / "graph"
    (folder / "variables").mkdir(parents=True)
    (folder / saved_model.PROGRAM).touch()
    layer = {"name": "low/Relu", "kind": "Relu", "shape": [8, 8, 4], "weights": 40, "cut": True}
    known = {"layers": [layer], "size": 16, "channels": 1, "classifier": None, "pixels": "0..255", "entry": "pixels"}
    saved_model._kept(folder).write_text(json.dumps(known))
    saved_model.graph_file(folder).touch()
    app = gallery(opened())
    app.text_input(key="network_path").set_value(str(folder)).run()
    assert "40 weights · 16 px grey · its folder's weights, always frozen" in said(app)
    app.button(key="network_use").click().run()
    assert not app.exception
    assert app.session_state["chosen"]["backbone"] == f"saved:{folder}"
    assert "its weights cannot be trained" in said(app)
    [head] = [one for one in app.button if one.label == "Train only a head"]
    head.click().run()
    assert app.session_state["chosen"]["strategy"] == "feature_extraction"
    assert "its weights cannot be trained" not in said(app)


def test_a_ticked_row_of_the_list_is_the_cut_if_it_can_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    place, layers_ = Path("/models/mine.keras"), ["", "low", "high"]
    state: dict[str, Any] = {f"network_cut:{place}": "high"}
    monkeypatch.setattr(networks.st, "session_state", state)
    for rows, cut in (([1], "low"), ([0], "low"), ([], "low"), ([2], "high")):
        state[f"network_layers:{place}"] = {"selection": {"rows": rows}}
        networks._cut_at_row(place, layers_)
        assert state[f"network_cut:{place}"] == cut


def test_a_preset_of_kerashub_is_used(home, at_once, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811  # the fixture
    layer = {"name": "low", "kind": "Conv2D", "shape": [None, None, 8], "weights": 224, "cut": True}
    about = {"layers": [layer], "size": None, "usual_size": 160, "channels": 3, "classifier": None, "scale": 0.1}
    about |= {"offset": None, "summary": "Small.", "handle": "keras/tiny/keras/tiny/1", "megabytes": 0.9}
    hub._kept("tiny_imagenet").write_text(json.dumps(about))
    app = gallery(opened())
    app.text_input(key="network_preset").set_value("../tiny").run()
    assert "not a name of a KerasHub preset" in said(app)
    app.text_input(key="network_preset").set_value("tiny_imagenet").run()
    assert "224 weights · 160 px colour · ImageNet weights · 1 MB to download" in said(app)
    app.button(key="network_use").click().run()
    assert not app.exception
    assert app.session_state["chosen"]["backbone"] == "hub:tiny_imagenet"
    assert "tiny_imagenet (KerasHub)" in said(app)


def test_a_runs_family_is_drawn_and_said() -> None:
    first = recorded(strategy="from_scratch")
    second = Lab().store.add_run(Experiment(backbone=f"run:{first}"))
    app = opened("run", run=first, part="about")
    assert not app.exception
    assert f"1 run was built on it: {second}" in said(app)
    drawn = app.get("graphviz_chart")[0].proto.spec
    assert f'"{first}" -> "{second}" [label="backbone"]' in drawn
    assert "random weights" in drawn and "on optdigits" in drawn
    alone = opened("run", run=recorded(), part="about")
    assert not alone.get("graphviz_chart")

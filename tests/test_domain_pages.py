"""What the lab's page shows of a run without target labels, and the figures behind it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from tests.test_pages import home, live, opened, said  # noqa: F401  # a lab of its own
from transfer import Experiment
from transfer.engine.events import Baseline, Embedded, PhaseBegan, Point, to_record
from transfer.insight import curves, domains
from transfer.insight.points import best, blind
from transfer.lab import Lab, history

PICKS = {
    "start": {"epoch": 0, "test_accuracy": 0.7},
    "last": {"epoch": 2, "test_accuracy": 0.8},
    "entropy": {"epoch": 1, "test_accuracy": 0.75},
    "information": {"epoch": 2, "test_accuracy": 0.8},
    "density": {"epoch": 0, "test_accuracy": 0.7},
    "source": {"epoch": 1, "test_accuracy": 0.75},
    "labels": {"epoch": 1, "test_accuracy": 0.82},
}
METRICS: dict[str, Any] = {
    "test_accuracy": 0.8, "test_low": 0.77, "test_high": 0.83, "test_count": 629, "best_epoch": 2.0,
    "validation_accuracy": 0.78, "picks": PICKS,
}  # fmt: skip


def recorded(strategy: str = "mmd", labels: int | None = 0, **metrics: Any) -> str:
    """A finished run that adapted."""
    from transfer.lab.process import myself

    lab = Lab()
    asked = Experiment(source="mnist_5k", strategy=strategy, labels_per_class=labels)
    run = lab.submit(asked, reserved=myself())
    claimed = lab.store.claim(myself(), "cpu", only=run)
    events: list[Any] = [PhaseBegan(1, "adapt", "target", 0, 2, 10, 20, {"conv1": 1.0})]
    for epoch in range(3):
        values = {"loss": 1.0, "accuracy": (0.7, 0.85, 0.8)[epoch], "entropy": 1.0, "a_distance": 2.0 - epoch / 2}
        events.append(Point("validation", "target", 1, float(epoch), epoch, float(epoch), values))
        if strategy == "mmd":
            events.append(Embedded(float(epoch), [[0.5, 0.2]] * 3, [0, 1, 2], [[-0.3, 0.1 * epoch]] * 2, [0, 9]))
    events.insert(3, Point("train", "target", 1, 0.5, 1, 0.5, {"loss": 1.0, "mmd": 0.1}))
    assert claimed is not None
    lab.store.append(claimed.id, [(time.time(), *to_record(event)) for event in events])
    lab.store.finish(claimed, "finished", METRICS | metrics, {}, "")
    return run


def test_choosing_a_strategy_without_labels_takes_the_labels_away_and_back() -> None:
    app = opened()
    app.session_state["chosen"]["strategy"] = "fine_tuning"
    from pages.parts.common import form

    fields = dict(app.session_state["chosen"])
    changes = {"strategy": "mmd"}
    form._usual_labels(fields, changes)
    assert changes["labels_per_class"] == 0
    back: dict[str, Any] = {"strategy": "fine_tuning"}
    form._usual_labels(fields | changes, back)
    assert back["labels_per_class"] == 1


def test_a_run_that_adapted_shows_plane_distance_and_choices() -> None:
    app = opened(run=recorded())
    assert not app.exception
    text = said(app)
    assert "Adapting took test accuracy from 70.0" in text and "it is cheating" not in text
    assert list(app.dataframe[0].value["Epoch"]) == [0, 2], "by default no row has seen a target label"
    next(one for one in app.toggle if one.key == "other_picks").set_value(True).run()
    assert "it is cheating" in said(app)
    assert "target labels (cheating)" in list(app.dataframe[0].value["Epoch picked by"])
    assert "no target labels to choose by" in text
    assert "run the ceiling, Target oracle" in text
    assert (len(app.get("plotly_chart")), len(live(app))) == (0, 5)
    assert "Gap closed" in app.dataframe[0].value


def test_the_gap_closed_is_measured_from_the_oracle_of_the_same_seed() -> None:
    recorded("target_oracle", None, test_accuracy=0.9, picks=None)
    app = opened(run=recorded())
    assert not app.exception
    table = app.dataframe[0].value.set_index("Epoch picked by")
    assert table.loc["the last epoch", "Gap closed"].startswith("50")
    assert "run the ceiling, Target oracle" not in said(app)


@pytest.mark.parametrize(
    ("accuracy", "expected"), [(0.9, 1.0), (0.7, 0.0), (0.65, -0.25), (0.8, 0.5)]
)  # floor .7, ceiling .9
def test_the_share_of_the_gap(accuracy: float, expected: float) -> None:
    assert domains.closed(accuracy, 0.7, 0.9) == pytest.approx(expected)
    assert domains.closed(accuracy, 0.9, 0.9) is None


def test_without_labels_the_last_epoch_is_marked_and_not_the_best() -> None:
    lab = Lab()
    table = history.table([one for one in lab.events(recorded()) if one.kind in history.KINDS])
    assert blind(table)
    chosen = best(table)
    assert chosen is not None and chosen["epoch"] == 2
    frame = curves.Frame(classes=10, marks=((0.7, "source only"),))
    figure = curves.figure("accuracy", [curves.Curve("a", table)], frame)
    assert any(one.name == "epoch taken" for one in figure.data)
    assert any("source only" in (one.text or "") for one in figure.layout.annotations)


def test_the_plane_keeps_its_axes_over_all_epochs() -> None:
    planes = [
        domains.Plane(float(one), np.array([[1.0, 0.5]]), np.array([3]), np.array([[-2.0 * one, 0.1]]), np.array([3]))
        for one in range(3)
    ]
    reach = domains.reach(planes)
    assert reach == pytest.approx((4.2, 0.525))
    for colour in domains.COLOURS:
        figure = domains.embedding(planes[1], reach, list("0123456789"), colour, "x")  # type: ignore[arg-type]  # one of its names
        assert tuple(figure.layout.xaxis.range) == pytest.approx((-4.2, 4.2))
        assert [len(one.x) for one in figure.data] == [1, 1]


def test_harm_is_called_negative_transfer() -> None:
    harmed = {"picks": PICKS | {"last": {"epoch": 2, "test_accuracy": 0.6}}}
    assert "negative transfer" in domains.verdict(harmed)
    assert "negative transfer" not in domains.verdict(METRICS)


def test_the_nearest_neighbours_are_a_line_in_the_chart_of_accuracy() -> None:
    from pages.parts.common.run_log import Log
    from transfer.lab.process import myself

    lab = Lab()
    run = lab.submit(Experiment(source="mnist_5k"), reserved=myself())
    claimed = lab.store.claim(myself(), "cpu", only=run)
    assert claimed is not None
    lab.store.append(run, [(time.time(), *to_record(Baseline("5 nearest", 0.8)))])
    log = Log(run)
    log.read(lab, lab.run(run))
    from pages.parts.watch.domains import marks

    assert marks(lab.run(run), log) == ((0.8, "5 nearest"),)


def test_a_domain_gap_is_made_to_order_and_taken_back() -> None:
    app = opened()
    next(one for one in app.selectbox if str(one.key).startswith("gap_kind")).set_value("blur").run()
    assert app.session_state["chosen"]["target"] == "optdigits~blur:3"
    next(one for one in app.select_slider if str(one.key).startswith("gap_severity")).set_value(5).run()
    assert app.session_state["chosen"]["target"] == "optdigits~blur:5"
    assert not app.exception and "blurred (5 of 5)" in said(app)
    next(one for one in app.selectbox if str(one.key).startswith("gap_kind")).set_value("").run()
    assert app.session_state["chosen"]["target"] == "optdigits"

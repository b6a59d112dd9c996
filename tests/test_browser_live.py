"""A run that is followed in a real browser, through all that happens to a page, a server and a network meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pages.live.reader import number
from tests.served import Server, browser, chromium, served
from transfer import Experiment
from transfer.engine.events import PhaseBegan, Point, Resumed, to_record
from transfer.lab import Lab, Run
from transfer.lab.process import myself

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(240),
]
SECONDS, OFFLINE_SECONDS, EPOCH = 5, 10, 10
# The drawn points of each trace of a chart, gaps between two domains left out.
DRAWN = """() => [...document.querySelectorAll('.js-plotly-plot')].slice(0, 2).map(
    (chart) => ['train', 'validation'].map((split) => {
        const trace = chart.data.find((one) => one.meta?.split === split);
        return [...trace.x].map((x, at) => [x, trace.y[at]]).filter(([, y]) => y !== null) }))"""
# The faintest that any part of the first chart's surroundings ever was.
WATCH = """() => { window.faintest = 1; setInterval(() => {
    for (let one = document.querySelector('.js-plotly-plot'); one; one = one.parentElement)
        window.faintest = Math.min(window.faintest, getComputedStyle(one).opacity) }, 20) }"""
ACCURACY = "document.querySelector('.js-plotly-plot')"


class Training:
    """A run that says a batch every tenth of a second, as training does, until it is told to stop."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.id = self.lab.submit(Experiment(target="mnist_5k", strategy="from_scratch", epochs=500), reserved=myself())
        self.step = 0
        self.run = self._claimed()
        self.say(PhaseBegan(1, "train", "target", 0, 500, EPOCH, EPOCH, {}))
        self._going = threading.Event()
        self._going.set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._train, daemon=True)
        self._thread.start()

    def _claimed(self) -> Run:
        claimed = self.lab.store.claim(myself(), "cpu", only=self.id)
        assert claimed is not None
        return claimed

    def say(self, *events: Any) -> None:
        self.lab.store.append(self.id, [(time.time(), *to_record(event)) for event in events])

    def _train(self) -> None:
        while not self._over.is_set():
            self._going.wait()
            self.step += 1
            done = self.step / EPOCH
            values = {"loss": 2 / done, "accuracy": 1 - 1 / (1 + done)}
            said = [Point("train", "target", 1, done, self.step, self.step / 10, values)]
            if self.step % EPOCH == 0:
                said.append(Point("validation", "target", 1, done, self.step, self.step / 10, values))
            self.say(*said)
            time.sleep(0.1)

    def pause_and_resume(self) -> None:
        """As a worker does: some points are made anew from where the checkpoint was."""
        self._going.clear()
        time.sleep(0.3)
        self.lab.store.finish(self.run, "paused", {}, {}, "")
        time.sleep(1.0)
        self.lab.store.requeue(self.id, myself())
        self.run = self._claimed()
        self.step -= 7
        self.say(Resumed("target", self.step))
        self._going.set()

    def rest(self) -> None:
        """Says nothing for a while."""
        self._going.clear()

    def go_on(self) -> None:
        self._going.set()

    def end(self) -> None:
        self._over.set()
        self._going.set()
        self._thread.join()
        self.lab.store.finish(self.run, "stopped", {}, {}, "")

    def points(self) -> list[list[list[list[float]]]]:
        """What the two charts have to show, of training and of validation."""
        history = self.lab.history(self.id)
        parts = [history[history["split"] == split] for split in ("train", "validation")]
        columns = [
            [part["epoch"].map(number), part[value].map(number)] for value in ("accuracy", "loss") for part in parts
        ]
        pairs = [[[x, y] for x, y in zip(*both, strict=True)] for both in columns]
        return [pairs[:2], pairs[2:]]


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Training]:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    monkeypatch.setenv("TRANSFER_STANDBY", "0")
    training = Training()
    yield training
    training.end()


def has_all(page: Any, training: Training, seconds: float = 20) -> None:
    """Waits until the charts show every point of the run and none twice."""
    training.rest()
    time.sleep(0.3)
    said, until = training.points(), time.monotonic() + seconds
    while (drawn := page.evaluate(DRAWN)) != said:
        if time.monotonic() > until:
            counts = [[len(one) for one in chart] for chart in (*said, *drawn)]
            raise AssertionError(f"said and drawn: {counts}")
        page.wait_for_timeout(200)
    training.go_on()


def test_zoom_and_legend_stay_and_no_point_is_missed_whatever_happens(training: Training, tmp_path: Path) -> None:
    with served(tmp_path, TRANSFER_ESTIMATES="0") as server, browser() as opened:
        context = opened.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"{server.url}/lab?run={training.id}")
        page.locator(".js-plotly-plot").first.wait_for(timeout=30_000)
        has_all(page, training)

        box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
        page.mouse.move(box["x"] + 40, box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + 160, box["y"] + 120, steps=5)
        page.mouse.up()
        page.locator(".js-plotly-plot .legendtoggle").first.click()
        page.wait_for_timeout(600)  # two clicks would be another wish
        page.evaluate(f"() => {{ {ACCURACY}.mark = 'mine' }}")
        page.evaluate(WATCH)
        looks = f"() => [{ACCURACY}.mark, {ACCURACY}.layout.xaxis.range, {ACCURACY}.data[0].visible]"
        before, step = page.evaluate(looks), training.step
        assert before[2] == "legendonly" and before[1][1] < 400, "zoomed in, training hidden"
        page.wait_for_timeout(1000 * SECONDS)
        assert training.step > step + 5 * SECONDS
        training.say(PhaseBegan(2, "again", "target", training.step / EPOCH, 10, EPOCH, EPOCH, {}))
        page.get_by_text("again", exact=True).first.wait_for(timeout=10_000)
        after = page.evaluate(looks)
        assert after == before, "also after the page was drawn anew for a phase"
        assert page.evaluate("() => window.faintest") == 1
        has_all(page, training)

        page.reload()
        page.locator(".js-plotly-plot").first.wait_for(timeout=30_000)
        has_all(page, training)

        server.kill()
        again = Server(tmp_path, port=server.port, TRANSFER_ESTIMATES="0")
        try:
            has_all(page, training, 30)
            context.set_offline(True)
            page.wait_for_timeout(1000 * OFFLINE_SECONDS)
            context.set_offline(False)
            has_all(page, training, 30)
            training.pause_and_resume()
            page.wait_for_timeout(1000)
            has_all(page, training, 30)
        finally:
            again.kill()

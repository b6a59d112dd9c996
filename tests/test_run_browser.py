"""In a real browser: behind a cell of the confusion matrix, and a picture that networks are asked about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.served import Server, browser, chromium
from tests.trained import finished_run, twin
from transfer import settings
from transfer.insight import answers, confusion
from transfer.lab import Lab

pytestmark = [
    pytest.mark.browser,
    # A run is trained and TensorFlow imported twice; on a busy machine that alone takes a minute.
    pytest.mark.timeout(400),
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]
CELL = """([truth, said]) => {
    const plot = [...document.querySelectorAll('.js-plotly-plot')].find(one => (one._fullData || []).length > 2);
    if (!plot || !plot._fullLayout || !plot._fullLayout.xaxis._length) return null;
    const box = plot.getBoundingClientRect(), across = plot._fullLayout.xaxis, down = plot._fullLayout.yaxis;
    return [box.x + across._offset + across.d2p(said), box.y + down._offset + down.d2p(truth)];
}"""


def click_cell(page: Any, truth: int, said: int) -> None:
    """Clicks on a cell once the matrix is drawn."""
    place = page.wait_for_function(CELL, arg=[truth, said], timeout=90_000)
    page.wait_for_timeout(500)  # the chart may still be moved by what is drawn above it
    x, y = page.evaluate(CELL, [truth, said]) or place.json_value()
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def photographed(page: Any) -> None:
    page.wait_for_function("() => document.querySelector('video')?.readyState >= 2", timeout=30_000)
    page.wait_for_timeout(1_000)  # before its first picture there is nothing to take
    page.get_by_role("button", name="Take Photo").click(timeout=30_000)


def drawn(page: Any) -> None:
    """A stroke down the middle of the canvas."""
    canvas = page.locator("canvas").last
    canvas.wait_for(timeout=30_000)
    page.wait_for_timeout(1_000)  # it listens a moment after it is there
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()


def test_behind_a_cell_of_the_confusion_matrix_and_a_picture_of_ones_own(app: Server, tmp_path: Path) -> None:
    run = finished_run(app.home)
    other = twin(app.home, run)
    found = answers.read(settings.run_folder(run), tuple("0123456789"))
    counted = confusion.matrix(found)
    np.fill_diagonal(counted, 0)
    truth, said = np.unravel_index(int(counted.argmax()), counted.shape)
    photo = tmp_path / "bar.png"
    pixels = np.full((90, 90, 3), 255, "uint8")
    pixels[15:75, 40:50] = 0
    Image.fromarray(pixels).save(photo)
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"{app.url}/run?run={run}&part=confusion")
        click_cell(page, int(truth), int(said))
        page.get_by_text(re.compile(f"{truth}, classified as {said}: {counted[truth, said]} picture")).wait_for(
            timeout=90_000
        )
        first = int(confusion.behind(found, int(truth), int(said))[0])
        page.get_by_role("img", name=f"picture {first}: {truth}, classified as {said}").wait_for(timeout=60_000)
        page.get_by_role("button", name=re.compile("sure")).first.click()
        page.get_by_text("After training:").wait_for(timeout=90_000)
        assert "part=look" in page.url and f"run={run}" in page.url

        page.goto(f"{app.url}/try_it?runs={run},{other}")
        page.get_by_text("Draw or upload a picture on the left").wait_for(timeout=90_000)
        page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload")).first.click()
        page.locator("input[type=file]").first.set_input_files(str(photo))
        page.get_by_text("what the network sees, 28 x 28").nth(1).wait_for(timeout=90_000)
        page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length === 2")

        for way, give in (("Camera", photographed), ("Draw", drawn)):
            page.get_by_role("radio", name=way).or_(page.get_by_role("button", name=way)).first.click()
            page.get_by_text("Draw or upload a picture on the left").wait_for(timeout=30_000)
            give(page)
            page.get_by_text("what the network sees, 28 x 28").nth(1).wait_for(timeout=60_000)
        assert not problems
        assert Lab().run(run).state == "finished"

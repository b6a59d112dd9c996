"""Own photographs end to end in a real browser: upload, look, learn, see the curve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pictures import photographs
from tests.served import POINTS, Server, browser, chromium
from transfer.lab.lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]


def test_upload_photographs_look_at_them_and_learn_them(app: Server, tmp_path: Path) -> None:
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"{app.url}/data")
        page.locator("input[type=file]").first.set_input_files(
            str(photographs(tmp_path / "photos.zip")), timeout=60_000
        )
        page.get_by_role("button", name="Add", exact=True).click(timeout=60_000)
        page.get_by_text("photos: 24 pictures added").wait_for(timeout=60_000)
        page.get_by_text("photos/cat/broken.jpg (not a picture").wait_for()

        page.get_by_text("Samples by class").wait_for(timeout=60_000)
        for name in ("brick", "cat", "coffee"):
            page.get_by_alt_text(f"Samples of the class {name}").wait_for(timeout=30_000)
        page.get_by_text("Balance").wait_for()

        page.get_by_role("button", name="Learn this").click()
        page.get_by_text("EfficientNet-Lite0").first.wait_for(timeout=60_000)
        page.get_by_text("Feature extraction").first.wait_for()
        page.get_by_role("button", name="Start", exact=True).click(timeout=60_000)
        page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length > 0", timeout=120_000)
        page.get_by_text(re.compile("Test accuracy")).first.wait_for(timeout=150_000)
        page.wait_for_function(f"() => ({POINTS})() > 10")
        run = Lab().runs(1)[0]
        assert run.experiment.target == "upload:photos"
        assert run.state == "finished"
        assert run.metrics["test_accuracy"] > 0.6
        assert not problems

"""The journey that matters most, in a real browser: open, Start, see points grow, reload, Stop."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.served import Server, browser, chromium, points
from transfer.lab.lab import Lab

pytestmark = [
    pytest.mark.browser,
    # Without a browser ./check on a laptop still runs the rest; CI installs one.
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]


def more_points(page: Any, than: int, seconds: float = 60) -> int:
    """Waits until the charts show more points."""
    for _ in range(int(seconds / 0.1)):
        # Asked once: while a chart is drawn anew it has none for a moment.
        if (now := points(page)) > than:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"no more than {than} points after {seconds} s")


def test_open_start_see_points_grow_reload_and_stop(app: Server) -> None:
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(app.url)
        start = page.get_by_role("button", name="Start")
        start.wait_for(timeout=20_000)
        assert start.bounding_box()["y"] < 800, "Start is in sight without scrolling"
        assert points(page) == 0
        start.click()
        first = more_points(page, 0)
        run = re.search(r"run=([\w-]+)", page.url)
        assert run is not None
        grown = more_points(page, first)

        page.reload()
        page.get_by_role("button", name="Stop and keep the best").wait_for(timeout=20_000)
        assert more_points(page, grown - 1) >= grown

        other = opened.new_page()
        other.goto(f"{app.url}/runs")
        other.get_by_text(run[1]).or_(other.get_by_role("link", name=re.compile("optdigits"))).first.wait_for()

        page.get_by_role("button", name="Stop and keep the best").click()
        page.get_by_text(re.compile("[Ss]topped")).first.wait_for(timeout=30_000)
        assert Lab().run(run[1]).state == "stopped"
        assert not problems

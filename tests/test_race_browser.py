"""A race and a comparison in a real browser: one press, a reload, a closed tab, the verdict; two rows, their curves."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.served import Server, browser, chromium, points
from transfer.lab.lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(480),
]
CHECKBOX, ROW = {"x": 17, "y": 52}, 35


def fill(page: Any, label: str, value: str) -> None:
    """Writes a number into a field and leaves it."""
    field = page.get_by_label(label, exact=True)
    field.fill(value)
    field.press("Enter")


def test_a_race_from_one_press_over_a_reload_and_a_closed_tab_to_its_verdict(app: Server) -> None:
    with browser() as opened:
        context = opened.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.set_default_timeout(60_000)
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"{app.url}/lab")
        page.get_by_text("More options").click()
        fill(page, "Source epochs", "1")
        page.get_by_role("button", name="Race several").click()
        fill(page, "Seeds", "1")
        page.get_by_text("4 competitors × 1 seed = 4 runs").wait_for()
        strategies = page.get_by_role("combobox", name="Strategies")
        for left in (3, 2):
            strategies.press("Backspace")
            page.get_by_text(f"{left} competitors × 1 seed = {left} runs").wait_for()
        fill(page, "Epochs each", "2")
        page.wait_for_timeout(1_000)
        page.get_by_role("button", name="Start the race").click()
        page.get_by_text("No verdict yet: 0 of 2").wait_for()
        url = page.url
        race = re.search(r"race=([\w-]+)", url)
        assert race is not None
        runs = Lab().races.runs(race[1])
        assert len(runs) == 2 and {run.experiment.epochs for run in runs} == {2}

        page.reload()
        page.get_by_text("No verdict yet").wait_for()
        assert page.url == url
        page.close()
        page = context.new_page()
        page.set_default_timeout(240_000)
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(url)
        page.get_by_text("One seed: can't say who is best").wait_for()
        page.get_by_text("All 2 runs have ended").wait_for()
        assert points(page) >= 2 * 3
        page.get_by_text("Did transfer help?").wait_for()

        page.get_by_role("link", name="Runs").first.click()
        table = page.locator('[data-testid="stDataFrame"]').first
        page.get_by_text(re.compile(r"\d+ runs, newest first")).wait_for()
        table.click(position=CHECKBOX)
        page.get_by_role("link", name="Open", exact=False).first.wait_for()
        page.locator('[data-testid="stDataFrame"]').first.click(position={**CHECKBOX, "y": CHECKBOX["y"] + ROW})
        page.get_by_role("link", name="Compare 2").click()
        page.get_by_text("What differs").wait_for()
        page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length == 1")
        page.wait_for_timeout(500)
        assert points(page) == 2 * 3
        assert not problems

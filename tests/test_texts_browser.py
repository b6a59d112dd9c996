"""Texts end to end in a real browser: choose them, learn them, see which words carried an answer, ask a question."""

from __future__ import annotations

import re

import pytest

from tests.served import POINTS, Server, browser, chromium
from transfer.lab.lab import Lab

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]


def test_topics_are_learned_from_a_few_labels_and_asked_about_in_words(app: Server) -> None:
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 800})
        problems: list[str] = []
        page.on("pageerror", lambda problem: problems.append(str(problem)))
        page.goto(f"{app.url}/data")
        page.get_by_role("combobox", name="Data set").click(timeout=60_000)
        page.keyboard.type("WordNet topics")
        page.keyboard.press("Enter")
        page.get_by_text("Half of the texts have").wait_for(timeout=60_000)
        page.get_by_text("marked by").first.wait_for()
        page.get_by_role("button", name="Learn this").click()

        page.get_by_text("Mean of word vectors").first.wait_for(timeout=60_000)
        page.get_by_role("button", name="Start", exact=True).click(timeout=60_000)
        page.get_by_text(re.compile("1,800 texts, used only once")).first.wait_for(timeout=150_000)
        page.wait_for_function(f"() => ({POINTS})() > 10")
        page.get_by_text("bag of words").first.wait_for()
        run = Lab().runs(1)[0]
        assert (run.experiment.target, run.experiment.backbone) == ("wordnet_topics", "word_average")
        assert run.metrics["test_accuracy"] > 0.6

        page.goto(f"{app.url}/run?run={run.id}&part=mistakes")
        page.get_by_role("button", name=re.compile("% sure")).first.click(timeout=60_000)
        page.get_by_text("Each word is left out in turn").wait_for(timeout=60_000)
        page.get_by_text(re.compile("^Without “|No single word")).first.wait_for(timeout=60_000)
        assert page.locator("span[title^='without it']").count() > 1

        page.goto(f"{app.url}/try_it?runs={run.id}")
        page.get_by_role("textbox", name="A text").fill("a small bird <b>that</b> sings\u202e and eats insects")
        page.keyboard.press("Control+Enter")
        page.get_by_text("most similar training texts").wait_for(timeout=60_000)
        page.get_by_role("heading", name="animal").wait_for()
        # Angle brackets are shown, and no sign turns the direction of what follows.
        page.locator("span[title^='without it']", has_text="<b>that</b>").first.wait_for()
        assert "\u202e" not in page.inner_text("body").replace(page.get_by_role("textbox").input_value(), "")
        assert not problems

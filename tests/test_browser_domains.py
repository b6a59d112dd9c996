"""Two domains in a real browser: the slider goes back in time, the colours change, the switch shows the cheat."""

from __future__ import annotations

import pytest

from tests.served import Server, browser, chromium
from tests.test_domain_pages import recorded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine"),
]
# The highest target picture in the plane, and how many colours its source pictures have.
PLANE = """() => {
    const plot = [...document.querySelectorAll('.js-plotly-plot')].find(one => (one._fullData || []).some(
        trace => trace.name === 'source' && trace.mode === 'markers'));
    if (!plot) return null;
    const [source, target] = ['source', 'target'].map(name => plot._fullData.find(trace => trace.name === name));
    return [Math.max(...target.y), new Set([].concat(source.marker.color)).size];
}"""


def test_slider_colours_and_switch_of_the_domains(app: Server) -> None:
    run = recorded()
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 1600})
        page.set_default_timeout(60_000)
        page.goto(f"{app.url}/lab?run={run}")
        page.wait_for_function(f"() => {{ const seen = ({PLANE})(); return seen && seen[0] > 0.15 }}")
        assert page.evaluate(PLANE) == [0.2, 1], "the last epoch, coloured by domain"
        page.get_by_role("slider").first.focus()
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(f"() => {{ const seen = ({PLANE})(); return seen && seen[0] < 0.15 }}")
        page.get_by_role("radio", name="class").or_(page.get_by_role("button", name="class", exact=True)).click()
        page.wait_for_function(f"() => {{ const seen = ({PLANE})(); return seen && seen[1] === 3 }}")
        page.get_by_text("Compare ways to choose the epoch").click()
        page.get_by_text("it is cheating").wait_for()

"""How the page feels, in a real browser, with nothing else running.

    python -m benchmarks.page

Seconds from the server's start until Start can be pressed; from the press to the first true point on
the chart, with the standby and without; the lag from a batch's end until the chart shows it; and what
Streamlit's process holds.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import measured
from tests.served import POINTS, Server, browser, served, workers

SETTLED_MS = 2000
LAST_STEP = """() => Math.max(...[...document.querySelectorAll('.js-plotly-plot')].flatMap(one => one._fullData || [])
    .filter(trace => trace.mode && trace.x).flatMap(trace => [...trace.x].map(Number)), -1e9)"""


def opened_page(opened: Any, server: Server) -> tuple[Any, float]:
    """The lab's page, and the seconds from the server's start until Start stands there."""
    page = opened.new_page(viewport={"width": 1280, "height": 800})
    page.goto(server.url)
    page.get_by_role("button", name="Start").wait_for()
    usable = time.perf_counter() - server.started
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length >= 2")
    return page, usable


def first_point(page: Any) -> float:
    """Seconds from the press to the first point."""
    begin = time.perf_counter()
    page.get_by_role("button", name="Start").click()
    # Asked inside the page: asking from outside every few milliseconds would keep it from drawing.
    page.wait_for_function(f"() => ({POINTS})() > 0", polling=50, timeout=120_000)
    return time.perf_counter() - begin


def standby_ready(home: Path) -> None:
    """Waits until a worker stands by."""
    while not any("ready" in log.read_text() for log in (home / "logs").glob("*.log")):
        time.sleep(0.1)


def lags(page: Any, home: Path) -> list[float]:
    """Seconds from the end of a batch to the moment the chart reaches it, sampled while the run goes on."""
    import os

    os.environ["TRANSFER_HOME"] = str(home)
    from transfer.lab.lab import Lab

    run = re.search(r"run=([\w-]+)", page.url)
    assert run is not None
    seen: list[tuple[float, float]] = []
    lab, last = Lab(), -1e9
    while lab.run(run[1]).live:
        newest = float(page.evaluate(LAST_STEP))
        if newest > last:
            seen.append((time.time(), newest))
            last = newest
        page.wait_for_timeout(100)
    ends = [(event.time, event.body["epoch"]) for event in lab.events(run[1]) if event.kind == "Point"]
    times, epochs = np.array([one[0] for one in ends]), np.array([one[1] for one in ends])
    found: list[float] = []
    for (at, newest), (_, before) in zip(seen[1:], seen, strict=False):
        fresh = times[(epochs > before + 1e-9) & (epochs <= newest + 1e-9)]
        found.extend(at - fresh)
    return [one for one in found if one > 0]


def measure(standby: bool) -> dict[str, Any]:
    """One server, one page, one run."""
    with tempfile.TemporaryDirectory() as folder, browser() as opened:
        home = Path(folder)
        # A person's browser runs already; one that has just been started takes both cores for itself.
        opened.new_page().wait_for_timeout(SETTLED_MS)
        with served(home, TRANSFER_STANDBY="1" if standby else "0") as server:
            page, usable = opened_page(opened, server)
            if standby:
                standby_ready(home)
                page.wait_for_timeout(1500)
            found: dict[str, Any] = {"usable": usable, "first_point": first_point(page)}
            if standby:
                found["lags"] = lags(page, home)
            process = psutil.Process(server.process.pid)
            found["memory_mb"] = process.memory_info().rss / 2**20
            found["tensorflow_mapped"] = any("tensorflow" in one.path for one in process.memory_maps())
            found["processes"] = len(workers(home))
            return found


if __name__ == "__main__":
    warm = [measure(True) for _ in range(2)]
    cold = [measure(False) for _ in range(2)]
    together = [lag for one in warm for lag in one.pop("lags")]
    figures = {
        "usable_seconds": [one["usable"] for one in warm + cold],
        "first_point_with_standby_seconds": [one["first_point"] for one in warm],
        "first_point_without_standby_seconds": [one["first_point"] for one in cold],
        "lag_seconds_median": statistics.median(together),
        "lag_seconds_95_percent": float(np.percentile(together, 95)),
        "lags": len(together),
        "streamlit_memory_mb": max(one["memory_mb"] for one in warm + cold),
        "tensorflow_mapped": any(one["tensorflow_mapped"] for one in warm + cold),
    }
    measured.write("page", "python -m benchmarks.page", figures)

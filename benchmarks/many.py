"""A lab with many runs and a long one, in a real browser, with nothing else running.

    python -m benchmarks.many

10,000 runs, one of which has 1,000,000 points: seconds from a click until the table is drawn, and from a click on its
row's link until the long run's chart is. Each in a session that has seen neither before; the page itself is open.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks import measured
from tests.served import POINTS, browser, served

RUNS, POINTS_OF_ONE, EPOCH = 10_000, 1_000_000, 1_000
REPEATS = 3
CHECKBOX = {"x": 17, "y": 52}
SETTLED_MS = 3_000


def filled(lab: Any, runs: int) -> None:
    """Runs that have ended, with settings and figures as they are."""
    from transfer import Experiment, catalog
    from transfer.lab.records import runs as table
    from transfer.lab.store import new_row

    draw = random.Random(0)
    strategies = [one.key for one in catalog.strategies().values() if not one.needs or one.needs == ("weights",)]
    rows = []
    for number in range(runs):
        asked = Experiment(source="mnist_5k", labels_per_class=draw.choice([1, 2, 5, 10, None]), seed=number % 5)
        row = new_row(asked.but(strategy=draw.choice(strategies), epochs=draw.choice([10, 20, 50])))
        row["id"] = f"{row['id']}{number:05d}"
        row["created"] -= 60.0 * (runs - number)
        score = draw.random()
        figures = {"validation_accuracy": score, "last_validation_accuracy": score * 0.98, "test_accuracy": score}
        figures |= {"test_low": max(0.0, score - 0.02), "test_high": min(1.0, score + 0.02), "test_count": 629}
        figures |= {"trainable_weights": 61_098, "peak_memory_mb": 810.0, "seconds": 12.0, "best_epoch": 7.0}
        times = {"started": row["created"], "ended": row["created"] + 12.0, "state": "finished"}
        rows.append({**row, **times, "metrics": figures, "environment": {"versions": {"keras": "3.15"}}})
    with lab.store.begin() as database:
        database.execute(insert(table), rows)


def long_run(lab: Any, points: int) -> str:
    """The id of a run with so many points, outlined as the recorder does while a run goes on."""
    from transfer import Experiment
    from transfer.engine.events import PhaseBegan, Point, to_record
    from transfer.lab.process import myself

    draw = random.Random(1)
    run = lab.store.add_run(Experiment(source="mnist_5k", labels_per_class=1, epochs=points // EPOCH), myself())
    claimed = lab.store.claim(myself(), "cpu", only=run)
    rows = [(time.time(), *to_record(PhaseBegan(1, "train", "target", 0, points // EPOCH, 61_098, 61_322, {})))]
    for step in range(points):
        loss = 2.3 / (1 + step / 50_000) + 0.1 * draw.random()
        values = {"loss": loss, "accuracy": 1 - loss / 2.6, "learning_rate": 1e-3}
        point = Point("train", "target", 1, step / EPOCH, step, step * 0.005, values)
        rows.append((time.time(), *to_record(point)))
        if step % EPOCH == 0:
            point = Point("validation", "target", 1, step / EPOCH, step, step * 0.005, {"loss": loss, "accuracy": 0.9})
            rows.append((time.time(), *to_record(point)))
        if len(rows) >= 5_000:
            lab.store.append(run, rows)
            lab.outlines.add(run)
            rows = []
    lab.store.append(run, rows)
    metrics = {"test_accuracy": 0.9, "test_low": 0.87, "test_high": 0.92, "test_count": 629, "best_epoch": 3.0}
    lab.store.finish(claimed, "finished", metrics | {"validation_accuracy": 0.9}, {}, "")
    return str(run)


def opened(context: Any, url: str) -> dict[str, float]:
    """Seconds to the table and to the chart, in a new session."""
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{url}/lab")
    page.get_by_role("button", name="Start").wait_for()
    page.wait_for_timeout(SETTLED_MS)
    begin = time.perf_counter()
    page.get_by_role("link", name="Runs").first.click()
    page.get_by_text("runs, newest first").wait_for()
    page.locator('[data-testid="stDataFrame"] canvas').first.wait_for()
    table = time.perf_counter() - begin
    page.wait_for_timeout(SETTLED_MS)
    page.locator('[data-testid="stDataFrame"]').first.click(position=CHECKBOX)
    link = page.get_by_role("link", name="Open")
    link.wait_for()
    page.wait_for_timeout(SETTLED_MS)
    begin = time.perf_counter()
    link.click()
    page.wait_for_function(f"() => ({POINTS})() > 0", polling=20, timeout=120_000)
    chart = time.perf_counter() - begin
    drawn = float(page.evaluate(POINTS))
    page.close()
    return {"table": table, "chart": chart, "drawn": drawn}


def fill(folder: Path) -> float:
    """Makes the store; seconds to read the table of runs from it for the first time."""
    os.environ["TRANSFER_HOME"] = str(folder)
    from transfer.lab import Lab

    lab = Lab()
    filled(lab, RUNS - 1)
    long_run(lab, POINTS_OF_ONE)
    begin = time.perf_counter()
    lab.summary.table()
    return time.perf_counter() - begin


def measure(folder: Path, read: float) -> dict[str, Any]:
    """The figures of a store that is filled."""
    with browser() as chromium, served(folder, TRANSFER_STANDBY="0") as server:
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        # The first in a server's life imports what the pages need.
        first, *later = [opened(context, server.url) for _ in range(1 + REPEATS)]
    tables, charts = ([one[name] for one in later] for name in ("table", "chart"))
    return {
        "runs": RUNS,
        "points_of_one": POINTS_OF_ONE,
        "store_mb": sum(file.stat().st_size for file in folder.glob("*.sqlite*")) / 2**20,
        "table_read_seconds": read,
        "first_in_a_server": {"table_seconds": first["table"], "chart_seconds": first["chart"]},
        "table_seconds": tables,
        "table_seconds_median": statistics.median(tables),
        "chart_seconds": charts,
        "chart_seconds_median": statistics.median(charts),
        "points_drawn": later[0]["drawn"],
        "load": os.getloadavg()[0],
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        measured.write("many", "python -m benchmarks.many", measure(Path(made), fill(Path(made))))

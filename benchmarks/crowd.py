"""A class that watches one run: how late its points arrive, what the server spends, and whether the run is slowed.

    python -m benchmarks.crowd
    python -m benchmarks.crowd before     (in a checkout of a version without streams: its pages alone)

A viewer is a client on this machine's loopback that does what a browser does: it opens the Lab page through Streamlit's
own protocol, draws again whatever the server asks it to, and follows the run's stream. The run, 14 epochs of MNIST-5k
from scratch, begins when all viewers have their page. A point is late by the time from when the run wrote it down until
a viewer has it. Clients, server and run share the machine's cores, which a class does not.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks import measured
from benchmarks.viewer import Viewer
from tests.served import Server, served

VIEWERS = (1, 10, 50, 200)
PAIRS = 5
BROWSERS = 10
# When a chart was drawn, and how far its curve then reached.
DRAWN = """() => { const chart = document.querySelector('.js-plotly-plot'); window.drawn = [];
    chart.on('plotly_afterplot', () => window.drawn.push([Date.now(), chart.data[0].x.at(-1) ?? -1])) }"""
EPOCHS = 14
MOST_SECONDS = 120.0
SETTLED_SECONDS = 3.0
LATEST_SECONDS = 30.0
NICE = 19  # a class has machines of its own: the run and the server go first


async def _crowd(port: int, run: str, count: int, streams: bool) -> None:
    """All viewers in one event loop; speaks with the benchmark by lines on its standard input and output."""
    os.nice(NICE)
    viewers = [Viewer(port, run, streams, count) for _ in range(count)]
    ready, ended = [asyncio.Event() for _ in viewers], asyncio.Event()
    watching = [asyncio.create_task(one.watch(at, ended)) for one, at in zip(viewers, ready, strict=True)]
    async with asyncio.timeout(MOST_SECONDS):
        for at in ready:
            await at.wait()
    await asyncio.sleep(SETTLED_SECONDS)
    before = sum(one.bytes for one in viewers)
    for one in viewers:
        one.begun = True
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    after = sum(one.bytes for one in viewers)
    with suppress(TimeoutError):
        async with asyncio.timeout(LATEST_SECONDS if streams else 0):
            while any(one.ends == "open" for one in viewers):
                await asyncio.sleep(0.1)
    ended.set()
    await asyncio.gather(*watching)
    print(json.dumps({
        "late": [late for one in viewers for late in one.late],
        "waited": [waited for one in viewers for waited in one.waited],
        "bytes": after - before,
        "points": [one.points for one in viewers],
        "ends": [one.ends for one in viewers],
    }))  # fmt: skip


def _train(seed: int) -> None:
    """Carries out a run as soon as it is told to, with all it needs loaded before."""
    from transfer import Experiment
    from transfer.engine.measure.warm_up import warm_up
    from transfer.lab import Lab
    from transfer.lab.in_process import run_here
    from transfer.lab.process import myself

    lab = Lab()
    asked = Experiment(target="mnist_5k", strategy="from_scratch", epochs=EPOCHS, seed=seed)
    run = lab.submit(asked, reserved=myself())
    warm_up(lambda: False)
    print(run, flush=True)
    sys.stdin.readline()
    run_here(lab, run, lambda event: None, lambda words: None)


def _started(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.crowd", *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError(f"{process.args} ended with {process.wait()}")
    return line


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def one_run(server: Server, viewers: int, seed: int, streams: bool) -> dict[str, float]:
    """A run with so many viewers."""
    from transfer.lab import Lab

    trainer = _started("train", str(seed))
    run = _said(trainer)
    crowd = None
    if viewers:
        crowd = _started("watch", str(server.port), run, str(viewers), str(int(streams)))
        _said(crowd)
    process = psutil.Process(server.process.pid)
    used, began = process.cpu_times(), time.time()
    _tell(trainer)
    trainer.wait(MOST_SECONDS)
    spent, seconds = process.cpu_times(), time.time() - began
    lab = Lab()
    said = [event for event in lab.events(run) if event.kind == "Point"]
    found = {"run_seconds": said[-1].time - said[0].time}
    if crowd is None:
        return found
    _tell(crowd)
    heard = json.loads(_said(crowd))
    crowd.wait()
    numbers = [event.n for event in said]
    if streams and (wrong := [one for one in heard["points"] if one != numbers]):
        missed, more = set(numbers) - set(wrong[0]), len(wrong[0]) - len(set(wrong[0]))
        raise AssertionError(
            f"{len(wrong)} viewers; the first missed {len(missed)} points, had {more} twice; {heard['ends']}"
        )
    cores = (spent.user + spent.system - used.user - used.system) / seconds
    found |= {"server_cores": cores, "kb_a_viewer_a_minute": heard["bytes"] / viewers / 1024 / (seconds / 60)}
    for name in ("late", "waited"):
        if heard[name]:
            found[f"{name}_median"] = statistics.median(heard[name])
            found[f"{name}_95_percent"] = float(np.percentile(heard[name], 95))
    return found


def browsers(server: Server, count: int, seed: int) -> dict[str, float]:
    """A run that so many real browsers show: how long after a batch its point is drawn."""
    from tests.served import browser
    from transfer.lab import Lab

    trainer = _started("train", str(seed))
    run = _said(trainer)
    with browser() as opened:
        pages = [opened.new_context(viewport={"width": 1280, "height": 800}).new_page() for _ in range(count)]
        for page in pages:
            page.goto(f"{server.url}/lab?run={run}")
            page.locator(".js-plotly-plot").first.wait_for(timeout=60_000)
        for page in pages:
            page.wait_for_timeout(SETTLED_SECONDS * 1000 / count)
            page.evaluate(DRAWN)
        _tell(trainer)
        # A page answers only while it is asked something.
        while trainer.poll() is None:
            pages[0].wait_for_timeout(500)
        pages[0].wait_for_timeout(LATEST_SECONDS / 10 * 1000)
        drawn = [page.evaluate("() => window.drawn") for page in pages]
    said = [event for event in Lab().events(run) if event.kind == "Point" and event.body["split"] == "train"]
    late = []
    for seen in drawn:
        times, reached = np.array(seen).T
        for event in said:
            at = np.flatnonzero(reached >= event.body["epoch"] - 1e-4)
            late.append(times[at[0]] / 1000 - event.time if len(at) else LATEST_SECONDS)
    return {
        "browsers": count,
        "run_seconds": said[-1].time - said[0].time,
        "drawn_median": statistics.median(late),
        "drawn_95_percent": float(np.percentile(late, 95)),
    }


def main(streams: bool) -> None:
    """Runs with all numbers of viewers, then pairs of runs with none and with fifty."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TRANSFER_HOME": folder, "TRANSFER_STANDBY": "0"}
        with served(Path(folder), TRANSFER_STANDBY="0", TRANSFER_ESTIMATES="0") as server:
            one_run(server, 1, 99, streams)  # what is imported with the first
            crowds = {}
            for place, viewers in enumerate(VIEWERS):
                crowds[str(viewers)] = one_run(server, viewers, place, streams)
                print(viewers, crowds[str(viewers)], flush=True)
            ratios = []
            for pair in range(PAIRS):
                order = (0, 50) if pair % 2 else (50, 0)
                took = {viewers: one_run(server, viewers, 10 + pair, streams)["run_seconds"] for viewers in order}
                ratios.append(took[50] / took[0])
                print(took, flush=True)
            shown = browsers(server, BROWSERS, 98) if streams else {}
            print(shown, flush=True)
    figures: dict[str, Any] = {"viewers": crowds, "browsers": shown, "with_50_over_with_none": ratios}
    figures["with_50_over_with_none_median"] = statistics.median(ratios)
    measured.write("crowd" if streams else "crowd_before", "python -m benchmarks.crowd", figures)


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        _train(int(sys.argv[2]))
    elif sys.argv[1:2] == ["watch"]:
        asyncio.run(_crowd(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5] == "1"))
    else:
        main(streams=sys.argv[1:] != ["before"])

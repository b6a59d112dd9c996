"""How long a person waits for what networks say of a picture, in a real browser, with nothing else running.

    python -m benchmarks.answers

Seconds from giving a picture until all bars show its answer: the first, for which the process is started and the
networks are opened; then the median and the largest of the following ones. Once for one small network, once for four
at a time, two of them EfficientNet-Lite0. And what the processes hold, and how long killing the process costs.
"""

from __future__ import annotations

import io
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from benchmarks import measured
from tests.served import Server, browser, served
from transfer import Experiment
from transfer.lab import Lab, calling
from transfer.lab.in_process import run_here
from transfer.lab.process import myself

FOLLOWING = 8
SMALL = Experiment(target="optdigits", source="mnist_5k", source_epochs=2, labels_per_class=5, epochs=5)
LITE = Experiment(
    target="textures", backbone="efficientnet_lite0", strategy="feature_extraction", labels_per_class=20, epochs=5
)
BARS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(one => one._fullData || [])
    .filter(one => one.type === 'bar').map(one => JSON.stringify([...one.x].map(Number)))"""
CHANGED = f"([before, count]) => {{ const now = ({BARS})(); return now.length === count && now.join() !== before; }}"


def trained(experiment: Experiment) -> str:
    """The id of a run that has finished."""
    lab = Lab()
    run = lab.submit(experiment, reserved=myself())
    run_here(lab, run, lambda event: None, lambda words: None)
    return run


def picture(number: int) -> bytes:
    """Strokes by chance, so that no two answers are alike."""
    pixels = np.full((200, 200, 3), 255, "uint8")
    for top, left in np.random.default_rng(number).integers(20, 120, (4, 2)):
        pixels[top : top + 60, left : left + 25] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def waited(page: Any, number: int, count: int) -> float:
    """Seconds from giving a picture until all bars have changed."""
    before = ",".join(page.evaluate(BARS))
    file = {"name": f"{number}.png", "mimeType": "image/png", "buffer": picture(number)}
    begin = time.perf_counter()
    page.locator("input[type=file]").first.set_input_files(file)
    # Asked inside the page: asking from outside every few milliseconds would keep it from drawing.
    page.wait_for_function(CHANGED, arg=[before, count], polling=20, timeout=180_000)
    return time.perf_counter() - begin


def measure(opened: Any, server: Server, runs: list[str]) -> dict[str, Any]:
    """The first answer and the following ones, on a page of their own."""
    page = opened.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{server.url}/try_it?runs={','.join(runs)}")
    page.get_by_text("Upload", exact=True).first.click()
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.wait_for_timeout(500)
    first = waited(page, 0, len(runs))
    following = []
    for number in range(1, FOLLOWING + 1):
        page.wait_for_timeout(1_000)
        following.append(waited(page, number, len(runs)))
    page.close()
    return {
        "networks": len(runs),
        "first_seconds": first,
        "second_seconds": following[0],
        "following_seconds_median": statistics.median(following),
        "following_seconds_most": max(following),
    }


def survived(run: str) -> dict[str, float]:
    """What it costs that the process is killed: until it answers about data again, and about a network."""
    found = calling.card()
    assert found is not None
    os.kill(found.who.pid, signal.SIGKILL)
    begin = time.perf_counter()
    calling.ask("pictures", run=run, places=[0])
    pictures = time.perf_counter() - begin
    calling.ask("ready", run=run)
    return {"pictures_again_seconds": pictures, "network_again_seconds": time.perf_counter() - begin}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TRANSFER_HOME": folder, "TRANSFER_STANDBY": "0"}
        runs = [trained(SMALL), trained(SMALL.but(strategy="from_scratch", source=None)), trained(LITE)]
        runs.append(trained(LITE.but(strategy="bitfit", epochs=2)))
        with browser() as opened, served(Path(folder), TRANSFER_STANDBY="0") as server:
            one = measure(opened, server, runs[:1])
            four = measure(opened, server, runs)
            card = calling.card()
            assert card is not None
            process = psutil.Process(server.process.pid)
            figures = {
                "one": one,
                "four": four,
                "answerer_memory_mb": psutil.Process(card.who.pid).memory_info().rss / 2**20,
                "streamlit_memory_mb": process.memory_info().rss / 2**20,
                "tensorflow_mapped": any("tensorflow" in part.path for part in process.memory_maps()),
                "killed": survived(runs[0]),
            }
            last = calling.card()
            assert last is not None
            os.kill(last.who.pid, signal.SIGKILL)
    measured.write("answers", "python -m benchmarks.answers", figures)


if __name__ == "__main__":
    main()

"""What is lost when processes are killed: `kill -9` at random moments, then resume.

python -m benchmarks.resilience
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import measured
from tests.served import Server, workers
from transfer import Experiment
from transfer.lab.lab import Lab

ASKED = Experiment(target="optdigits", source="mnist_5k", source_epochs=2, epochs=25)


def wait(lab: Lab, run: str, *states: str, seconds: float = 120) -> str:
    """Waits for one of these states, tending as a page does."""
    begin = time.monotonic()
    while (state := lab.run(run).state) not in states:
        if time.monotonic() - begin > seconds:
            raise TimeoutError(f"{run} is still {state}, not {states}")
        lab.tend()
        time.sleep(0.1)
    return state


def kill_at_random(lab: Lab, chance: random.Random) -> dict[str, Any]:
    """One run: killed once at a random moment, found interrupted, resumed, ended."""
    run = lab.submit(ASKED.but(seed=chance.randrange(3)))
    wait(lab, run, "running")
    time.sleep(chance.uniform(0.0, 8.0))
    before = lab.run(run)
    if not before.live:
        return {"killed": False}
    acknowledged = [event.n for event in lab.events(run)]
    os.kill(before.pid, 9)
    state = wait(lab, run, "interrupted", "finished", seconds=20)
    kept = {event.n for event in lab.events(run)}
    lost = sum(number not in kept for number in acknowledged)
    if state == "interrupted":
        lab.resume(run)
        state = wait(lab, run, "finished", "failed")
    history = lab.history(run)
    target = history[(history.domain == "target") & (history.split == "validation")]
    return {"killed": True, "lost": lost, "ended": state, "epochs": sorted(set(target.epoch.astype(int)))[-1],
            "doubled": int(target.epoch.duplicated().sum())}  # fmt: skip


def app_killed(home: Path) -> dict[str, Any]:
    """Streamlit killed: the run goes on. Both killed: after a restart nothing hangs as running."""
    lab = Lab()
    first = Server(home)
    run = lab.submit(ASKED.but(epochs=60, seed=7))
    wait(lab, run, "running")
    first.kill()
    count = len(lab.events(run))
    time.sleep(3)
    goes_on = lab.run(run).state == "running" and len(lab.events(run)) > count
    second = Server(home)
    found_again = lab.run(run).state == "running"
    second.kill()
    pid = lab.run(run).pid
    assert pid is not None
    os.kill(pid, 9)
    third = Server(home)
    state = wait(Lab(), run, "interrupted", "finished", seconds=20)
    third.kill()
    return {"run_goes_on": goes_on, "found_again": found_again, "after_both_killed": state}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRANSFER_HOME"] = folder
        lab, chance = Lab(), random.Random(0)
        rows: list[dict[str, Any]] = []
        while sum(row["killed"] for row in rows) < 20:
            rows.append(kill_at_random(lab, chance))
            print(rows[-1], flush=True)
        killed = [row for row in rows if row["killed"]]
        figures = {
            "kills": len(killed),
            "acknowledged_points_lost": sum(row["lost"] for row in killed),
            "ended": {
                state: sum(row["ended"] == state for row in killed) for state in {row["ended"] for row in killed}
            },
            "epochs_at_the_end": sorted({row["epochs"] for row in killed}),
            "epochs_twice_in_the_history": sum(row["doubled"] for row in killed),
            "app": app_killed(Path(folder)),
        }
        for process in workers(Path(folder)):
            process.kill()
    measured.write("resilience", "python -m benchmarks.resilience", figures)

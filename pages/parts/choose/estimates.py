"""The time and memory an experiment will need, measured in a separate process while the page stays usable."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.parts.common.first_drawing import first_drawing_over
from pages.parts.common.lab import the_lab
from pages.parts.common.redrawing import Turn, still_there
from transfer import __version__, settings, whole_file
from transfer.experiment import Experiment
from transfer.insight.words import duration, percent

if TYPE_CHECKING:
    from transfer.lab import Lab

EVERY_SECONDS = 1.0
SETTLED_SECONDS = 2.0
_TIMEOUT_SECONDS = 300
# The lowest priority, so that a run that starts meanwhile goes first.
_ESTIMATE = """
import dataclasses, json, os, sys
os.nice(19)
from transfer import Experiment
from transfer.engine.measure.estimate import estimate
print(json.dumps(dataclasses.asdict(estimate(Experiment(**json.loads(sys.argv[1])), *map(int, sys.argv[2:])))))
"""


def line(experiment: Experiment, labelled: int, unlabelled: int) -> None:
    """Trainable weights, time and memory in one line; until they are known, a note that they are being measured.

    Args:
        experiment: possible.
        labelled: number of training pictures whose label is used.
        unlabelled: number of all training pictures.
    """
    if not settings.estimates():
        return
    pictures = labelled, unlabelled
    waiting = _answer(experiment, pictures) is None
    st.fragment(still_there(_line), run_every=EVERY_SECONDS if waiting else None)(experiment, pictures, waiting, Turn())


def _line(experiment: Experiment, pictures: tuple[int, int], waiting: bool, turn: Turn) -> None:
    found = _answer(experiment, pictures)
    if turn.own() and found is not None and waiting:
        st.rerun(scope="app")  # which ends the polling
    if found is None:
        busy = first_drawing_over() and the_lab().live()
        words = "estimated as soon as nothing is running" if busy else "estimating time and memory ..."
        st.caption(f":material/timer: {words}")
    elif "problem" in found:
        st.caption(f":material/timer: no estimate: {found['problem']}")
    else:
        share = percent(found["trainable"] / found["weights"], 1)
        takes = f"{duration(found['seconds'])} and {found['memory_mb'] / 1024:.1f} GB{_source(experiment, found)}"
        st.caption(
            f":material/timer: **{found['trainable']:,}** of {found['weights']:,} weights are trained ({share}) \u00b7 "
            f"estimated {takes}",
            help="Weights are counted; time and memory are extrapolated from a few steps on this machine.",
        )


def _source(experiment: Experiment, found: dict[str, Any]) -> str:
    seconds = found["source_seconds"]
    if not seconds or the_lab().source_learned(experiment):
        return ""
    return f", plus {duration(seconds)} to learn the source first"


def _answer(experiment: Experiment, pictures: tuple[int, int]) -> dict[str, Any] | None:
    """The stored or measured estimate, or None while it is unknown."""
    if not first_drawing_over():
        return None
    asked = experiment.but(seed=0)  # the seed does not affect time or memory
    path = settings.cache("estimates") / f"{__version__}-{asked.fingerprint}-{pictures[0]}-{pictures[1]}.json"
    if path.exists():
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    _newest()["path"] = str(path)
    wanted = (the_lab(), asked.canonical_json(), pictures, str(path))
    answer = _asked(*wanted)
    if not answer.done():
        return None
    if answer.result() is None:  # another request replaced it while it waited
        _asked.clear(*wanted)
    return answer.result()


@st.cache_resource(show_spinner=False, max_entries=200)
def _asked(_lab: Lab, experiment: str, pictures: tuple[int, int], path: str) -> Future[dict[str, Any] | None]:
    answer: Future[dict[str, Any] | None] = Future()
    turn, newest = _one_at_a_time(), _newest()

    def work() -> None:
        with turn:
            try:
                answer.set_result(_when_idle(_lab, newest, experiment, pictures, Path(path)))
            except Exception as problem:  # noqa: BLE001  # else the page would wait for ever
                traceback.print_exc()
                answer.set_result({"problem": str(problem) or type(problem).__name__})

    # Not an executor's thread: Streamlit would wait for it on exit, and it waits for runs to end.
    threading.Thread(target=work, daemon=True).start()
    return answer


@st.cache_resource(show_spinner=False)
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()


@st.cache_resource(show_spinner=False)
def _newest() -> dict[str, str]:
    """The estimate requested last: someone who clicks through ten strategies waits for one estimate, not for ten."""
    return {}


def _when_idle(
    lab: Lab, newest: dict[str, str], experiment: str, pictures: tuple[int, int], path: Path
) -> dict[str, Any] | None:
    """Measures when nothing is running, so that someone who presses Start at once does not wait for an estimate."""
    time.sleep(SETTLED_SECONDS)
    while newest.get("path") == str(path):
        if lab.live():
            time.sleep(EVERY_SECONDS)
            continue
        begun = time.time()
        found = _measured(experiment, pictures)
        # A run that started meanwhile used the processor: times measured beside it are many times too long.
        if not any(run.live or (run.ended or 0.0) > begun for run in lab.runs(10)):
            _keep(found, path)
            return found
    return None


def _keep(found: dict[str, Any], path: Path) -> None:
    """Writes an estimate completely or not at all; a failed estimate is tried again later."""
    if "problem" not in found:
        whole_file.write(path, json.dumps(found))


def _measured(experiment: str, pictures: tuple[int, int]) -> dict[str, Any]:
    command = [sys.executable, "-c", _ESTIMATE, experiment, *map(str, pictures)]
    root = Path(settings.__file__).parent.parent
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, cwd=root, check=False)
    except subprocess.TimeoutExpired:
        return {"problem": "measuring took more than five minutes."}
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"problem": lines[-1] if lines else "the measurement ended without a message."}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

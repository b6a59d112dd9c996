"""Questions about data sets, answered in a separate process; answers are cached as long as nothing changes.

Decoding, counting and features need TensorFlow and seconds to minutes; a page asks again until it has the answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from transfer import __version__, catalog, settings, whole_file
from transfer.experiment import Experiment
from transfer.lab.process import import_path

Kind = Literal["look", "batch", "distance", "speed"]
_KEPT = 300
_TELL_SECONDS = 0.3
LAYOUT = 1


@dataclass(frozen=True)
class Question:
    """A question about one or more data sets.

    Args:
        kind: ``look`` at one, first ``batch`` of an experiment, ``distance`` between two, or a backbone's ``speed``.
        data: keys of the data sets.
        values: the other arguments: ``seed``; ``backbone``; or ``experiment`` as its fields.
    """

    kind: Kind
    data: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of its answer and pictures; a new one when a file of the data has changed."""
        stamps = [catalog.dataset(key).stamp for key in self.data]
        network = catalog.backbone(self.values["backbone"]).pretrained if "backbone" in self.values else None
        stamps += [network.content] if network and network.content else []
        limits = settings.picture_size(), settings.most_pixels()
        words = json.dumps([LAYOUT, __version__, self.kind, self.data, stamps, limits, self.values], sort_keys=True)
        return settings.cache("looks") / hashlib.sha256(words.encode()).hexdigest()[:40]

    @property
    def text(self) -> str:
        """The question as text for the process."""
        return json.dumps({"kind": self.kind, "data": self.data, "values": self.values})

    @classmethod
    def of(cls, text: str) -> Question:
        """The question from its `text`."""
        found = json.loads(text)
        return cls(found["kind"], tuple(found["data"]), found["values"])


@dataclass(frozen=True)
class Answer:
    """The answer so far.

    Args:
        found: the answer, or None until there is one.
        folder: the folder of its pictures.
        problem: why there will be no answer; empty otherwise.
        done: pictures decoded so far, of ``total``; both 0 if unknown.
    """

    found: dict[str, Any] | None
    folder: Path
    problem: str = ""
    done: int = 0
    total: int = 0

    def picture(self, name: str) -> bytes | None:
        """One of its pictures; None if there is none, or if it has been cleared away."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """Drops the answer because part of it is gone; the next question computes it again."""
        (self.folder / "answer.json").unlink(missing_ok=True)
        with _lock:
            _asked.pop(str(self.folder), None)


_asked: dict[str, subprocess.Popen[bytes]] = {}
_lock = threading.Lock()


def ask(question: Question) -> Answer:
    """The answer so far; starts the process that computes it if none has been started.

    Raises:
        RequestError: a data set cannot be opened.
    """
    folder = question.folder
    if (known := _kept(folder)) is not None:
        return Answer(known, folder)
    with _lock:
        process = _asked.get(str(folder))
        if process is None or (process.poll() is not None and not folder.exists()):  # cleared away since
            folder.mkdir(parents=True, exist_ok=True)
            process = _asked[str(folder)] = _started(question, folder)
    if process.poll() is None:
        return Answer(None, folder, "", *_progress(folder))
    if (known := _kept(folder)) is not None:
        return Answer(known, folder)
    lines = _log(folder)
    said = next((line for line in reversed(lines) if line.startswith("Error: ")), lines[-1] if lines else "")
    return Answer(None, folder, said.removeprefix("Error: ") or "The process ended without a message.")


def again(question: Question) -> None:
    """Forgets a failure, so that the question is tried again."""
    with _lock:
        _asked.pop(str(question.folder), None)


def find_out(question: Question, told: Callable[[int, int], None] = lambda done, total: None) -> dict[str, Any]:
    """Computes the answer in this process, and stores it.

    Args:
        question: the question.
        told: called with (done, total) pictures.

    Raises:
        LabError: it cannot be answered.
    """
    folder = question.folder
    if (known := _kept(folder)) is not None:
        return known
    folder.mkdir(parents=True, exist_ok=True)
    said = [0.0]

    def progress(done: int, total: int) -> None:
        told(done, total)
        if time.monotonic() - said[0] > _TELL_SECONDS:
            said[0] = time.monotonic()
            (folder / "progress.txt").write_text(f"{done} {total}")

    found = _answered(question, folder, progress)
    whole_file.write(folder / "answer.json", json.dumps(found))
    _prune()
    return found


def _answered(question: Question, folder: Path, progress: Callable[[int, int], None]) -> dict[str, Any]:
    from transfer.received import telling

    values = question.values
    with telling.listening(lambda doing, done, total: progress(done, total), lambda words: None):
        if question.kind == "look":
            from transfer.engine.inspect.dataset_facts import look

            return look(catalog.dataset(question.data[0]), values["seed"], folder)
        if question.kind == "batch":
            from transfer.engine.inspect.first_batch import first_batch

            return first_batch(Experiment(**values["experiment"]), folder)
        if question.kind == "speed":
            from transfer.engine.measure.speed import measure

            return measure(values["backbone"])
        from transfer.engine.judge.distance import distance

        first, second = question.data
        return distance(first, second, values["backbone"], values["seed"], progress)


def _started(question: Question, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "transfer", "answer", question.text],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(import_path()), "TF_CPP_MIN_LOG_LEVEL": "3"},
        )


def _kept(folder: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / "answer.json").read_text())
        os.utime(folder)  # answers in use are not the first to be cleared away
    except (OSError, ValueError):
        return None
    return found


def _log(folder: Path) -> list[str]:
    try:
        return (folder / "log.txt").read_text(errors="replace").strip().splitlines()
    except FileNotFoundError:
        return []


def _progress(folder: Path) -> tuple[int, int]:
    try:
        done, total = (folder / "progress.txt").read_text().split()
    except (OSError, ValueError):
        return 0, 0
    return int(done), int(total)


def _prune() -> None:
    """Keeps only the most recently used answers; several processes may do so at once."""
    aged = []
    for folder in settings.cache("looks").iterdir():
        try:
            aged.append((folder.stat().st_mtime, folder))
        except FileNotFoundError:
            continue
    for _, folder in sorted(aged, reverse=True)[_KEPT:]:
        (folder / "answer.json").unlink(missing_ok=True)  # first, so that nobody finds an answer without its pictures
        shutil.rmtree(folder, ignore_errors=True)

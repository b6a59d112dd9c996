"""The process that answers questions about trained networks, so that no page has to load one.

It listens on this machine only, to clients that know the home's key. Each question gets a thread; those
that need a network take turns. It ends after a while without questions, and when the home is gone.
"""

from __future__ import annotations

import json
import os
import threading
import time
import traceback
from dataclasses import asdict
from multiprocessing.connection import Connection, Listener, answer_challenge, deliver_challenge
from multiprocessing.context import AuthenticationError
from multiprocessing.reduction import ForkingPickler
from typing import Any

from transfer import settings, whole_file
from transfer.errors import LabError, RequestError
from transfer.lab import answers, calling, devices, locks, opened_runs
from transfer.lab.process import myself

_LOOK_SECONDS = 1.0
# A process that is ending keeps its lock until its last thread is gone.
_PATIENCE_SECONDS = 5.0


class _Life:
    """When the process was last used."""

    def __init__(self) -> None:
        self._asked, self._open = time.monotonic(), 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._open += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._open -= 1
            self._asked = time.monotonic()

    @property
    def idle(self) -> float:
        """Seconds since the last question was answered; 0 while one is being answered."""
        with self._lock:
            return 0.0 if self._open else time.monotonic() - self._asked


def serve() -> None:
    """Runs the process. Ends at once if another one already answers for this home."""
    lock = locks.answerer_lock()
    if not locks.take(lock, _PATIENCE_SECONDS):
        return
    # Never runs on a graphics card: its memory is for training.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    devices.prepare("cpu-0")
    # Computed now: files that change later differ from the code this process runs.
    running, life, key = calling.code(), _Life(), calling.key()
    with Listener((calling.HOST, 0), backlog=16) as listener:
        _write_card(listener.address[1], running)
        print(f"listens on port {listener.address[1]}", flush=True)
        threading.Thread(target=_end_when_idle, args=(life,), daemon=True).start()
        threading.Thread(target=opened_runs.prepare, daemon=True).start()
        while True:
            line = listener.accept()
            threading.Thread(target=_talk, args=(line, key, life), daemon=True).start()


def _talk(line: Connection, key: bytes, life: _Life) -> None:
    """Answers the questions on one connection, once the other side has shown that it knows the key."""
    with line:
        try:
            calling.promptly(line)
            # In this thread, so that a client that connects and stays silent holds up nobody else.
            deliver_challenge(line, key)
            answer_challenge(line, key)
            while True:
                question, about = line.recv()
                with life:
                    _say(line, _reply(question, about))
                if question == "leave":
                    _leave("it was told to")
        except (AuthenticationError, EOFError, OSError):
            return


def _reply(question: str, about: dict[str, Any]) -> tuple[str, Any]:
    """The kind of reply and its content."""
    if question == "leave":
        return "answer", True
    try:
        return "answer", answers.QUESTIONS[question](**about)
    except LabError as problem:
        kind = "request" if isinstance(problem, RequestError) else "trouble"
        return kind, (str(problem),)
    except Exception as problem:  # noqa: BLE001  # a bug: the page shows its last line, the log the rest
        print(traceback.format_exc(), flush=True)
        return "bug", f"{type(problem).__name__}: {problem}"


def _say(line: Connection, reply: tuple[str, Any]) -> None:
    """Sends a reply, or the reason why it can't be sent: a connection that just closes tells the page nothing."""
    try:
        packed = ForkingPickler.dumps(reply)
    except Exception as problem:  # noqa: BLE001  # a bug, as in `_reply`
        print(traceback.format_exc(), flush=True)
        packed = ForkingPickler.dumps(("bug", f"{type(problem).__name__}: {problem}"))
    line.send_bytes(packed)


def _write_card(port: int, running: int) -> None:
    """Records where the process listens."""
    path = calling.card_file()
    whole_file.write(path, json.dumps(asdict(myself()) | {"port": port, "code": running}))


def _end_when_idle(life: _Life) -> None:
    home = calling.card_file().parent
    try:
        while True:
            time.sleep(_LOOK_SECONDS)
            if not (home / "answerer.json").exists():
                _leave("the lab's folder is gone")
            if life.idle > settings.answerer_seconds():
                _leave("nobody has asked for a while")
    except Exception:  # noqa: BLE001  # without this thread the process would stay for ever; the next call starts one
        print(traceback.format_exc(), flush=True)
        _leave("it could no longer tell whether it is needed")


def _leave(why: str) -> None:
    print(f"left: {why}", flush=True)
    calling.card_file().unlink(missing_ok=True) if calling.card_file().parent.exists() else None
    # TensorFlow's threads would keep the process alive for seconds; there is nothing to save.
    os._exit(0)

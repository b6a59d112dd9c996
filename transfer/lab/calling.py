"""Asks questions about trained networks: finds the process that holds them, or starts it.

Streamlit's process never imports TensorFlow; a separate process, `answerer`, keeps the last few
networks loaded and answers within milliseconds. There is one per home, whoever started it: its
card says where it listens, the lock it holds shows that it is alive, and a key that only this user
can read gives access.
"""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from multiprocessing.context import AuthenticationError
from pathlib import Path
from typing import Any, TypeGuard

from transfer import settings
from transfer.errors import LabError, RequestError, RunFailed
from transfer.lab import locks
from transfer.lab.process import Child, Identity, spawn

HOST = "127.0.0.1"
TRIES = 3
COMING_SECONDS = 60.0
_POLL_SECONDS = 0.02
_BREATH_SECONDS = 0.5
_TAIL = 800


@dataclass(frozen=True)
class Card:
    """Where the answering process is.

    Args:
        who: the process.
        port: where it listens on this machine.
        code: the version of the lab's code it runs, see `code`.
    """

    who: Identity
    port: int
    code: int


def ask(question: str, seconds: float = 120.0, **about: Any) -> Any:
    """The answer to a question, from the process that holds the networks; starts one if there is none.

    Args:
        question: the name of a function in `transfer.lab.answers`.
        seconds: how long to wait for the answer.
        about: the question's arguments.

    Raises:
        RequestError: the question cannot be answered; the message says why.
        RunFailed: no answer came: the process cannot be started, is busy, or met a bug.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with _opened() as line:
                line.send((question, about))
                if not line.poll(seconds):
                    raise RunFailed(
                        "The process that opens networks is busy.",
                        f"no answer within {seconds:.0f} s",
                        "Try again later.",
                    )
                return _said(*line.recv())
        except (EOFError, OSError, AuthenticationError) as problem:
            # It was killed, or ended by itself, after its card was read and before it answered: the next one answers.
            if not tries_left:
                raise RunFailed(
                    "The process that opens networks ended three times while it worked on this.", problem, _words()
                ) from None
            time.sleep(_BREATH_SECONDS)  # a killed process counts as alive until its memory is released
    raise AssertionError("the last try returns or raises")


def card() -> Card | None:
    """The card of the living process of this home, or None."""
    try:
        kept = json.loads(card_file().read_text())
        found = Card(Identity(kept["host"], kept["pid"], kept["created"]), kept["port"], int(kept["code"]))
    except (OSError, ValueError, KeyError):
        return None
    return found if found.who.here and found.who.alive else None


def card_file() -> Path:
    """Where the card lies."""
    return settings.home() / "answerer.json"


def key() -> bytes:
    """The key that both sides must know; created on the first call, readable only by this user."""
    path = settings.home() / "answerer.key"
    while True:
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(32))
        except FileExistsError:
            found = path.read_bytes()
            if len(found) == 32:
                return found
            time.sleep(_POLL_SECONDS)  # another process is writing it at this moment


@functools.cache
def code() -> int:
    """When the lab's code last changed, as of this process's first look."""
    package = Path(settings.__file__).parent
    return max(file.stat().st_mtime_ns for file in package.rglob("*.py"))


def _answers_for_us(found: Card | None) -> TypeGuard[Card]:
    """Whether it may be asked. A process with older code is replaced; one with newer code is not, or two apps would
    keep replacing each other's."""
    return found is not None and found.code >= code()


def _opened() -> Connection:
    found = card()
    if not _answers_for_us(found):
        found = _called()
    return promptly(Client((HOST, found.port), authkey=key()))


def promptly(line: Connection) -> Connection:
    """The connection, without send delay: otherwise the second of two small packets waits 40 ms for the first."""
    with socket.fromfd(line.fileno(), socket.AF_INET, socket.SOCK_STREAM) as under:
        under.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


def _called() -> Card:
    """The card of a process that this or another caller has just started."""
    with locks.calling_lock():
        found = card()
        if _answers_for_us(found):
            return found
        if found is not None:
            _send_away(found)
        child = spawn("answerer")
        until = time.monotonic() + COMING_SECONDS
        while time.monotonic() < until:
            found = card()
            if found is not None:
                return found
            if child.process.poll() is not None and locks.free(locks.answerer_lock()):
                break
            time.sleep(_POLL_SECONDS)
    raise RunFailed("The process that opens networks did not start.", _log(child)[-_TAIL:].strip() or None, _words())


def _send_away(old: Card) -> None:
    """Asks a process that runs different code to end, and waits until it has ended."""
    try:
        with Client((HOST, old.port), authkey=key()) as line:
            line.send(("leave", {}))
            line.poll(1.0)
    except (EOFError, OSError, AuthenticationError):
        return
    until = time.monotonic() + 5.0
    while old.who.alive and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)


def _said(kind: str, content: Any) -> Any:
    if kind == "answer":
        return content
    if kind == "request":
        raise RequestError(*content)
    if kind == "trouble":
        raise LabError(*content)
    raise RunFailed("The process that opens networks failed because of a bug.", content, _words())


def _words() -> str:
    return f"Read the newest answerer-*.log in {settings.home() / 'logs'}."


def _log(child: Child) -> str:
    try:
        return child.log.read_text(errors="replace")
    except OSError:
        return ""

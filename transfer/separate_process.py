"""Calls a function of this package in a separate process, if it imports TensorFlow or opens untrusted files."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from transfer.errors import RequestError

_ANSWER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from transfer.separate_process import answer; answer(*sys.argv[1:])"
)


def asked(module: str, function: str, argument: str, seconds: float) -> dict[str, Any]:
    """The function's result; ``refused`` in it has the three parts of the `RequestError` that it raised.

    Args:
        module: a module of this package.
        function: takes one string, returns values that JSON can hold.
        argument: the string.
        seconds: how long to wait.

    Raises:
        RequestError: the process ended without an answer, or did not end.
    """
    # Runs as part of this installation, wherever the calling process was started.
    command = [sys.executable, "-c", _ANSWER, str(Path(__file__).parents[1]), module, function, argument]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        raise RequestError("It could not be inspected.", f"{argument}: no answer within {seconds:.0f} s") from None
    except (IndexError, ValueError):
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RequestError("It could not be inspected.", f"{argument}: {last[0][:200]}", "Try another.") from None
    return found


def here(module: str, function: str, argument: str, seconds: float = 0.0) -> dict[str, Any]:
    """The same result as `asked`, computed in this process, however long it takes."""
    try:
        found: dict[str, Any] = getattr(importlib.import_module(module), function)(argument)
    except RequestError as refused:
        return {"refused": [refused.wrong, str(refused.received), refused.remedy]}
    return found


def answer(module: str, function: str, argument: str) -> None:
    """Prints the function's result, or the reason for its refusal, as the last line."""
    print(json.dumps(here(module, function, argument)), flush=True)

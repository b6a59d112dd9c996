"""Damaged pictures and bombs: what escapes the decoder, how long the slowest takes, and what memory it takes.

    python -m benchmarks.damaged [FILES]

20,000 files by default, of every format and form, in a process for each form that is ended after ten minutes: a crash
or a hang would be seen. Then each bomb in a process of its own.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks import measured
from tests.bombs import bombs
from tests.damage import damaged, drawn, whole

SIDE = 24
LONGEST = 600
SCALES = {"float": (0.0, 50_000.0), "32-bit": (0.0, 65_535.0), "signed 32-bit": (-1e9, 1e9)}


def outcome(content: bytes) -> str:
    """``read``, the reason for which it is left out, or what escaped."""
    from transfer.pictures.formats import BadPicture, decoded, extremes, header

    try:
        said = header(io.BytesIO(content))
        if said.depth:
            extremes(io.BytesIO(content))
        decoded(io.BytesIO(content), SIDE, 3, SCALES)
    except BadPicture as problem:
        return str(problem)
    except Exception as problem:  # noqa: BLE001  # what escapes is what is measured
        return f"ESCAPED {type(problem).__name__}: {problem}"
    return "read"


def several(name: str, count: int) -> None:
    """Damages one form so many times; prints what came of it as JSON."""
    content, random = whole()[name], np.random.default_rng(len(name) * 1000 + sum(name.encode()))
    read, escaped, slowest = 0, [], 0.0
    outcome(content)  # what is imported now is not the files' time
    for _ in range(count):
        made = damaged(content, drawn(random))
        begin = time.perf_counter()
        said = outcome(made)
        slowest = max(slowest, time.perf_counter() - begin)
        read += said == "read"
        if said.startswith("ESCAPED"):
            escaped.append(said)
    print(json.dumps({"files": count, "read": read, "escaped": escaped, "slowest_seconds": slowest, "peak_mb": peak()}))


def one(name: str) -> None:
    """One bomb; prints what came of it as JSON, with the memory it took above what was there before."""
    content = bombs()[name]()
    for form in whole().values():
        outcome(form)
    before, begin = peak(), time.perf_counter()
    said = outcome(content)
    seconds = time.perf_counter() - begin
    print(json.dumps({"bytes": len(content), "said": said, "seconds": seconds, "more_mb": peak() - before}))


def peak() -> float:
    """The most memory this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(call: str) -> dict[str, Any]:
    """What a call in a process of its own printed; how the process ended if it printed nothing."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", f"from benchmarks import damaged; damaged.{call}"],
            capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return {"ended": f"hung for {LONGEST} s"}
    if done.returncode:
        return {"ended": f"exit {done.returncode}: {done.stderr[-300:]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(files: int) -> None:
    """All forms, then all bombs."""
    forms = list(whole())
    each = -(-files // len(forms))
    rows = {}
    for name in forms:
        rows[name] = apart(f"several({name!r}, {each})")
        print(name, rows[name], flush=True)
    exploded = {}
    for name in bombs():
        exploded[name] = apart(f"one({name!r})")
        print(name, exploded[name], flush=True)
    measured.write("damaged", "python -m benchmarks.damaged", {
        "files": each * len(forms),
        "read": sum(row.get("read", 0) for row in rows.values()),
        "escaped": [words for row in rows.values() for words in row.get("escaped", [])],
        "crashed": {name: row["ended"] for name, row in (rows | exploded).items() if "ended" in row},
        "slowest_seconds": max(row.get("slowest_seconds", 0) for row in rows.values()),
        "forms": rows,
        "bombs": exploded,
    })  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)

"""Little trees of files for tests of layouts: written as people see them, each file a few bytes."""

from __future__ import annotations

import itertools
import re
from pathlib import Path


def grow(root: Path, *lines: str, **texts: str | bytes) -> Path:
    """Makes files under a folder.

    Args:
        root: the folder.
        lines: ``{train,test}/{cat,dog}/*3.jpg`` are three pictures in each of four folders, ``empty/`` is a folder.
        texts: content of further files; in their names ``__`` stands for a slash and a single ``_d_`` for a dot.
    """
    for number, line in enumerate(lines):
        for path in _spelled(line):
            if path.endswith("/"):
                (root / path).mkdir(parents=True, exist_ok=True)
                continue
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"picture %d" % number)
    for name, text in texts.items():
        path = root / name.replace("__", "/").replace("_d_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def _spelled(line: str) -> list[str]:
    line = re.sub(r"\*(\d+)", lambda found: "{" + ",".join(f"p{n}" for n in range(int(found[1]))) + "}", line)
    pieces = [one[1:-1].split(",") if one.startswith("{") else [one] for one in re.split(r"(\{[^}]*\})", line)]
    return ["".join(one) for one in itertools.product(*pieces)]

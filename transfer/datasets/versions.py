"""The code that makes a data set, as one text: what a cache of it has to be made anew for when it changes."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any


def code(load: Callable[..., Any]) -> str:
    """The text of the module that a loading function stands in, and of the modules beside it which that one uses."""
    while isinstance(load, functools.partial):
        load = load.func
    module = sys.modules.get(getattr(load, "__module__", None) or "")
    if module is None:
        return ""
    used = {getattr(one, "__module__", None) or "" for one in vars(module).values()}
    beside = [
        sys.modules[name] for name in sorted(used) if name.startswith("transfer.datasets.") and name in sys.modules
    ]
    return "".join(_text(one) for one in dict.fromkeys([module, *beside]))


def _text(module: ModuleType) -> str:
    path = Path(getattr(module, "__file__", None) or "")
    return path.read_text() if path.is_file() else ""

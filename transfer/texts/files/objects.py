"""JSON as a table: one object a line, a list of objects, or columns by name."""

from __future__ import annotations

import json
from typing import Any

from transfer.errors import RequestError
from transfer.texts.files.typed import Cell, Several, Table

_REMEDY = 'Write one object a line, such as {"text": "...", "label": "..."}.'
_MOST_KEYS = 500
_Found = list[tuple[str, Any]]


def read(text: str, name: str) -> Table:
    """The table in a JSON text.

    Args:
        text: of the file.
        name: of the file, for messages.

    Raises:
        RequestError: it holds no objects.
    """
    table = Table(name)
    whole = None if name.lower().endswith((".jsonl", ".ndjson")) and not text.lstrip().startswith("[") else text
    items = _items(whole, name) if whole is not None else None
    if items is None:
        items = _lines(text, table)
        table.said.append("One JSON object a line.")
    keys: dict[str, None] = {}
    objects = []
    for where, one in items:
        one = one["row"] if isinstance(one, dict) and isinstance(one.get("row"), dict) else one
        if not isinstance(one, dict):
            table.left_out.append((where, "no JSON object"))
            continue
        keys |= dict.fromkeys(one)
        objects.append((where, one))
        if len(keys) > _MOST_KEYS:
            raise RequestError(f"{name} has too many different keys.", f"more than {_MOST_KEYS}", _REMEDY)
    if not objects:
        raise RequestError(f"{name} contains no JSON objects.", table.left_out[:1] or "nothing", _REMEDY)
    table.header = tuple(keys)
    table.rows = [(where, tuple(_cell(one.get(key)) for key in keys)) for where, one in objects]
    return table


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _lines(text: str, table: Table) -> _Found:
    found: _Found = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not line.strip(" \t\0\x1e,"):
            continue
        try:
            found.append((f"line {number}", _loaded(line)))
        except ValueError as problem:
            table.left_out.append((f"line {number}", f"not JSON ({str(problem).partition(':')[0][:80]})"))
    return found


def _items(text: str, name: str) -> _Found | None:
    """The objects of one JSON value; None when it is lines of several."""
    try:
        value = _loaded(text)
    except ValueError as problem:
        first = next((line for line in text.split("\n") if line.strip()), "")
        try:
            if isinstance(_loaded(first), dict):
                return None
        except ValueError:
            pass
        raise RequestError(f"{name} is not valid JSON.", str(problem)[:200], _REMEDY) from None
    if isinstance(value, dict):
        value = _of_object(value)
    if not isinstance(value, list):
        raise RequestError(f"{name} contains no list of JSON objects.", type(value).__name__, _REMEDY)
    return [(f"item {number}", one) for number, one in enumerate(value, start=1)]


def _of_object(value: dict[str, Any]) -> Any:
    """The list in an object: of objects, or put together from columns."""
    lists = [one for one in value.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
    if len(lists) == 1:
        return lists[0]
    columns = list(value.values())
    if len(columns) > 1 and all(isinstance(one, list) and len(one) == len(columns[0]) for one in columns):
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    if len(columns) > 1 and all(isinstance(one, dict) for one in columns):
        rows = dict.fromkeys(key for one in columns for key in one)
        return [{name: column.get(row) for name, column in value.items()} for row in rows]
    return [value]


def _cell(value: Any) -> Cell:
    """A value as a cell of a table."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        cells = [_cell(one) or "" for one in value if not isinstance(one, list | dict)]
        return Several(" ".join(cells)) if len(value) > 1 else cells[0] if cells else None
    return None

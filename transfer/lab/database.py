"""Opens the database, and creates missing tables."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from transfer.lab.locks import database_lock
from transfer.lab.records import metadata

_BUSY_SECONDS = 10


def is_busy(problem: Exception) -> bool:
    """Whether another process locked the database for too long; trying again helps."""
    return isinstance(problem, OperationalError | sqlite3.OperationalError) and "locked" in str(problem)


def inode(path: str) -> int:
    """A number that distinguishes a file from another one that replaced it; 0 if there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def open_database(url: str) -> Engine:
    """An engine for the URL, with all tables created."""
    engine = create_engine(url, json_serializer=_to_json, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune)
    # Two processes that create the file at once would each find the other's half-finished one.
    with database_lock(), engine.begin() as database:
        for table in metadata.sorted_tables:
            database.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                database.execute(CreateIndex(index, if_not_exists=True))
    return engine


def _tune(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")


def _to_json(value: Any) -> str:
    """JSON that both databases accept: no NaN, and NumPy's numbers as plain ones."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps(_plain(value))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and value - value != 0 else value

"""Locks between processes; the operating system releases them even if their holder is killed."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout

from transfer import ids, settings


def device_lock(slot: str) -> FileLock:
    """Held by the process that trains on a slot of a device."""
    return _lock(slot)


def standby_lock(slot: str) -> FileLock:
    """Held by the process that waits, with TensorFlow imported, for the next run of a slot."""
    return _lock(f"standby-{slot}")


def answerer_lock() -> FileLock:
    """Held by the process that answers questions about trained networks."""
    return _lock("answerer")


def calling_lock() -> FileLock:
    """Held by whoever starts that process, until it answers."""
    return _lock("answerer-called")


def database_lock() -> FileLock:
    """Held while the database is being created."""
    return _lock("database")


def take(lock: FileLock, seconds: float = 0.0) -> bool:
    """Tries to acquire the lock for that many seconds, at least once; returns whether it succeeded."""
    try:
        lock.acquire(timeout=seconds, poll_interval=0.05)
    except Timeout:
        return False
    return True


def free(lock: FileLock) -> bool:
    """Whether nobody holds the lock. The check acquires it for an instant, so other processes should retry briefly."""
    if not take(lock):
        return False
    lock.release()
    return True


def lock_file(lock: FileLock) -> Path:
    """The lock's file; if it is gone, so is the lab's folder."""
    return Path(lock.lock_file)


def _lock(name: str) -> FileLock:
    folder = settings.home() / "locks"
    folder.mkdir(exist_ok=True)
    # Signal handlers and flush threads may release a lock that the main thread acquired.
    return FileLock(folder / f"{ids.checked('slot', name)}.lock", thread_local=False)

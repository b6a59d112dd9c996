"""One reader a run, whatever the viewers: the store is asked in a thread, and each message is put into words once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING

from pages.live.reader import GOING_ON, Message, Reader
from transfer.errors import UnknownKey

if TYPE_CHECKING:
    from transfer.lab import Lab

EVERY_SECONDS = 0.25
FIRST_SECONDS = 0.08  # of a run without a point: whoever pressed Start waits for the first one
RESTING_SECONDS = 1.0  # of a paused run
HEARTBEAT_SECONDS = 15.0
# A reader that nobody listens to is kept a while, for a page that is loaded again.
KEPT_SECONDS = 30.0
AGAIN_SECONDS = 1.0
# Messages that wait for a viewer; whoever is further behind is sent away and catches up when it comes back.
MOST_WAITING = 64
HEARTBEAT = b": still here\n\n"
SLOW = {"words": "Too slow to follow. The connection is closed; it begins anew where it stopped."}


logger = logging.getLogger(__name__)


class Viewer:
    """One connection: what waits to be sent to it, and what it knows of each run."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = dict(known)
        self.waiting: asyncio.Queue[Message] = asyncio.Queue(MOST_WAITING)
        self.live = set(known)
        self.slow = False

    def put(self, message: Message) -> None:
        """Keeps the message until it can be sent; whoever is too far behind loses the connection, never a point."""
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.slow = True

    async def frames(self) -> AsyncIterator[bytes]:
        """Server-sent events until the last of its runs has ended."""
        while self.live and not self.slow:
            try:
                message = await asyncio.wait_for(self.waiting.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield HEARTBEAT
                continue
            self.known[message["run"]] = message.get("n", 0)
            yield self._framed(message)
            if message["state"] not in GOING_ON:
                self.live.discard(message["run"])
        yield _event("slow", SLOW) if self.slow else _event("end", {})

    def _framed(self, message: Message) -> bytes:
        if "_text" not in message:
            message["_text"] = json.dumps(message, separators=(",", ":"))
        alone = len(self.known) == 1
        place = str(message["n"]) if alone else ",".join(f"{run}={n}" for run, n in self.known.items())
        return f"id: {place}\ndata: {message['_text']}\n\n".encode()


def _event(name: str, body: Message) -> bytes:
    return f"event: {name}\ndata: {json.dumps(body)}\n\n".encode()


class Channel:
    """A run's reader and those who listen to it."""

    def __init__(self, run: str) -> None:
        self.reader = Reader(run)
        self.viewers: set[Viewer] = set()
        self.task: asyncio.Task[None] | None = None
        self.lock = asyncio.Lock()


class Hub:
    """All channels of this process. Lives in the server's event loop.

    Args:
        lab: gives the Lab; called in a thread.
    """

    def __init__(self, lab: Callable[[], Lab]) -> None:
        self._lab = lab
        self._channels: dict[str, Channel] = {}

    async def join(self, known: Mapping[str, int]) -> Viewer:
        """A viewer of these runs, who is told first what came after the event it knows of each.

        Raises:
            UnknownKey: there is no such run.
        """
        viewer = Viewer(known)
        try:
            for run, after in known.items():
                await self._join(viewer, run, after)
        except BaseException:
            self.leave(viewer)
            raise
        return viewer

    async def _join(self, viewer: Viewer, run: str, after: int) -> None:
        channel = self._channels.setdefault(run, Channel(run))
        # Between looks, so that nothing is told twice and nothing is missed.
        async with channel.lock:
            try:
                await self._looked(channel)
                told = await asyncio.to_thread(channel.reader.since, after)
                viewer.put(told | {"viewers": len(channel.viewers) + 1})
            except UnknownKey:
                if not channel.viewers:
                    self._channels.pop(run, None)
                raise
            channel.viewers.add(viewer)
        if channel.task is None or channel.task.done():
            channel.task = asyncio.create_task(self._follow(run, channel))

    def leave(self, viewer: Viewer) -> None:
        """Forgets a viewer."""
        for channel in self._channels.values():
            channel.viewers.discard(viewer)

    async def _looked(self, channel: Channel) -> None:
        """Tells the viewers what is new; the reader is not asked again while nothing can have changed."""
        message = await asyncio.to_thread(lambda: channel.reader.look(self._lab()))
        if message is not None:
            if "structure" in message:
                # For this each will ask for the page anew: how many they are says over what time to do it.
                message["viewers"] = len(channel.viewers)
            for viewer in tuple(channel.viewers):
                viewer.put(message)

    async def _follow(self, run: str, channel: Channel) -> None:
        idle = 0.0
        while idle < KEPT_SECONDS and not (channel.reader.ended and not channel.viewers):
            every = RESTING_SECONDS if channel.reader.resting else EVERY_SECONDS
            if channel.reader.starting:
                every = FIRST_SECONDS
            await asyncio.sleep(every)
            idle = 0.0 if channel.viewers else idle + every
            if not channel.viewers:
                continue
            async with channel.lock:
                try:
                    await self._looked(channel)
                except UnknownKey:
                    for viewer in tuple(channel.viewers):
                        viewer.put({"run": run, "n": 0, "state": "gone", "points": []})
                    break
                except Exception:  # a store that is busy, a disk that is full for a moment: the next look may succeed
                    logger.exception("The run %s could not be read.", run)
                    await asyncio.sleep(AGAIN_SECONDS)
                    continue
            if channel.reader.ended:
                channel.viewers.clear()
        self._channels.pop(run, None)

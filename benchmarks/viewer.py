"""A viewer of a live run who is no browser: speaks Streamlit's protocol and follows the stream, and draws nothing."""

from __future__ import annotations

import asyncio
import random
import re
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

TIME = re.compile(rb'"time":([0-9.]+)')
NUMBERS = re.compile(rb"(?<=\[)(\d+),[0-9.e-]+,\d+,[0-9.e-]+(?=[,\]])")
STRUCTURE = re.compile(rb'"structure":(\[[^\]]*\])')


@dataclass
class Viewer:
    """One client; what it received and when.

    Args:
        port: the server's.
        run: its id.
        streams: whether the server has streams.
        viewers: how many there are.
    """

    port: int
    run: str
    streams: bool
    viewers: int
    bytes: int = 0
    late: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    begun: bool = False
    parts: Counter[str] = field(default_factory=Counter)
    again: asyncio.Task[None] | None = None
    ends: str = "open"

    async def watch(self, ready: asyncio.Event, ended: asyncio.Event) -> None:
        """Opens the page, says so, and follows until the run has ended."""
        from websockets.asyncio.client import connect

        address = f"ws://localhost:{self.port}/_stcore/stream"
        async with connect(address, subprotocols=["streamlit"], max_size=None, compression=None) as socket:  # type: ignore[list-item]  # a plain text
            self.socket, self.asked = socket, 0.0
            self.timers: dict[str, asyncio.Task[None]] = {}
            self.announced: set[str] = set()
            await self.draw()
            working = [asyncio.create_task(self._pages(ready))]
            working += [asyncio.create_task(self._follow(ready))] if self.streams else []
            await ended.wait()
            for task in (*working, *self.timers.values()):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def draw(self, fragment: str = "", auto: bool = False) -> None:
        """Asks for the page, or for a fragment of it; a page drawn anew says anew what is to be asked for again."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        for timer in () if fragment else self.timers.values():
            timer.cancel()
        if not fragment:
            self.parts.clear()
        message = BackMsg()
        message.rerun_script.query_string = f"run={self.run}"
        message.rerun_script.fragment_id = fragment
        message.rerun_script.is_auto_rerun = auto
        self.asked = time.time()
        await self.socket.send(message.SerializeToString())

    async def _pages(self, ready: asyncio.Event) -> None:
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        async for data in self.socket:
            self.bytes += len(data)
            message = ForwardMsg()
            message.ParseFromString(data)
            kind = message.WhichOneof("type")
            if kind == "auto_rerun":
                again = message.auto_rerun
                if again.fragment_id in self.timers:
                    self.timers.pop(again.fragment_id).cancel()
                self.announced.add(again.fragment_id)
                self.timers[again.fragment_id] = asyncio.create_task(self._again(again.fragment_id, again.interval))
            elif kind == "delta" and message.delta.fragment_id:
                self.parts[message.delta.fragment_id] += 1
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                for gone in self.timers.keys() - self.announced:
                    self.timers.pop(gone).cancel()
                self.announced.clear()
                ready.set()
            elif kind == "script_finished":
                self.announced.clear()
            if kind == "script_finished" and self.begun:
                self.waited.append(time.time() - self.asked)

    async def _again(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.draw(fragment, auto=True)

    async def _follow(self, ready: asyncio.Event) -> None:
        await ready.wait()
        reader, writer = await asyncio.open_connection("localhost", self.port, limit=2**24)
        asked = f"GET /live/{self.run}?after=0 HTTP/1.1\r\nHost: localhost:{self.port}\r\nAccept-Encoding: gzip\r\n\r\n"
        writer.write(asked.encode())
        drawn = b""
        async for line in self._lines(reader):
            if line.startswith(b"event: "):
                self.ends = line.decode().split()[1]
                break
            if not line.startswith(b"data: {"):
                continue
            numbers = [int(one) for one in NUMBERS.findall(line)]
            self.points += numbers
            if numbers and (found := TIME.search(line)):
                self.late.append(time.time() - float(found[1]))
            structure = STRUCTURE.search(line)
            if structure is not None:
                if drawn and structure[1] != drawn and self.again is None:
                    most = 0.25 + random.random() * min(20.0, 0.1 * self.viewers)
                    self.again = asyncio.create_task(self._anew(most))
                drawn = structure[1]
        writer.close()

    async def _lines(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        """The lines of the stream, which is sent in chunks and compressed as for a browser."""
        head = await reader.readuntil(b"\r\n\r\n")
        unzip = zlib.decompressobj(31) if b"content-encoding: gzip" in head.lower() else None
        begun = b""
        while size := int(await reader.readline(), 16):
            chunk = (await reader.readexactly(size + 2))[:-2]
            self.bytes += size
            *whole, begun = (begun + (unzip.decompress(chunk) if unzip else chunk)).split(b"\n")
            for line in whole:
                yield line

    async def _anew(self, seconds: float) -> None:
        """The part of the page that follows the run, as the component asks for it: somewhat later, not all at once."""
        await asyncio.sleep(seconds)
        self.again = None
        # The part that follows the run is by far the largest.
        await self.draw(self.parts.most_common(1)[0][0] if self.parts else "")

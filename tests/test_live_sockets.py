"""Streams over real connections: many from one address, one that takes nothing, and those who must not notice."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

from pages.live import routes
from pages.live.hub import Hub
from tests.test_live import Told, told  # noqa: F401  # told is a fixture
from transfer import settings


@pytest.fixture
def port(told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:  # noqa: F811  # the fixture
    """A server with the streams alone."""
    hub = Hub(lambda: told.lab)
    monkeypatch.setattr(routes, "_hub", lambda: hub)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # else the system takes in megabytes
        listening.bind(("localhost", 0))
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes.routes()), log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()[1]
        server.force_exit = server.should_exit = True
        thread.join()


async def opened(port: int, path: str, header: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter, int]:
    """A connection that has been answered, and with which status."""
    reader, writer = await asyncio.open_connection("localhost", port, limit=2**24)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{header}\r\n".encode())
    status = int((await reader.readline()).split()[1])
    while (await reader.readline()).strip():
        pass
    return reader, writer, status


async def heard(reader: asyncio.StreamReader, until: int) -> list[int]:
    """The steps of the points that come, up to one of them."""
    found: list[int] = []
    while until not in found:
        line = await reader.readline()
        if line.startswith(b"data: {"):
            found += [row[2] for group in json.loads(line[6:]).get("points", []) for row in group["rows"]]
    return found


def waited(for_what: Callable[[], Any], seconds: float = 15) -> bool:
    """Whether it became true in time."""
    until = time.monotonic() + seconds
    while not for_what():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def many_files() -> Iterator[None]:
    """Both ends of a thousand connections are files of this process, of which some systems allow 1,024."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_096 if most == resource.RLIM_INFINITY else min(4_096, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, wanted), most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_from_one_address_come_only_so_many_and_who_leaves_makes_room(
    told: Told,  # noqa: F811  # the fixture
    port: int,
    many_files: None,
) -> None:
    most = settings.most_viewers()

    async def act() -> None:
        every = await asyncio.gather(*(opened(port, f"/live/{told.id}") for _ in range(1000)))
        let_in = [one for one in every if one[2] == 200]
        refused = next(one for one in every if one[2] == 429)
        assert len(let_in) == most, "of many in the same moment, too"
        assert b"TRANSFER_VIEWERS" in await refused[0].read(200)
        told.point(1)
        assert await heard(let_in[-1][0], 1) == [1], "whoever is in is served"
        for _, writer, _ in let_in[:5]:
            writer.close()
        assert await asyncio.to_thread(waited, lambda: sum(routes._connected.values()) == most - 5)
        more = [await opened(port, f"/live/{told.id}") for _ in range(6)]
        assert [status for *_, status in more] == [200] * 5 + [429]

    asyncio.run(asyncio.wait_for(act(), 60))


def test_a_browser_gets_the_stream_compressed_and_each_event_at_once(told: Told, port: int) -> None:  # noqa: F811
    steps = list(range(100))

    async def received(reader: asyncio.StreamReader, unzip: Any) -> int:
        """How many bytes came until each of the steps could be read."""
        sent, text, found = 0, b"", []
        while len(found) < len(steps):
            chunk = (await reader.readexactly(int(await reader.readline(), 16) + 2))[:-2]
            sent, text = sent + len(chunk), text + (unzip.decompress(chunk) if unzip else chunk)
            data = [json.loads(line[6:]) for line in text.split(b"\n") if line.startswith(b"data: {")]
            found = [row[2] for one in data for group in one.get("points", []) for row in group["rows"]]
        assert found == steps
        return sent

    async def act() -> None:
        both = [await opened(port, f"/live/{told.id}", header) for header in ("", "Accept-Encoding: gzip, br\r\n")]
        (plain, *_), (packed, *_) = both  # which holds the writers: a connection without one is closed
        for step in steps:
            await asyncio.to_thread(told.point, step, loss=1 / (step + 3))
        assert await received(packed, zlib.decompressobj(31)) < await received(plain, None) / 2

    asyncio.run(asyncio.wait_for(act(), 60))


def test_who_takes_nothing_is_let_go_and_the_others_miss_nothing(
    told: Told,  # noqa: F811  # the fixture
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes, "STUCK_SECONDS", 1.0)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    stuck.connect(("localhost", port))
    stuck.sendall(f"GET /live/{told.id} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    assert waited(lambda: sum(routes._connected.values()) == 1)
    long = {f"term_{place}": 0.123456 for place in range(2_000)}
    last = 200

    async def act() -> None:
        reader, writer, status = await opened(port, f"/live/{told.id}")
        assert status == 200
        listening = asyncio.create_task(heard(reader, last))
        for step in range(last + 1):
            await asyncio.to_thread(told.point, step, **(long if step % 40 == 0 else {}))
            if step % 20 == 0:
                await asyncio.sleep(0.3)
        assert await listening == list(range(last + 1))
        writer.close()

    asyncio.run(asyncio.wait_for(act(), 90))
    assert waited(lambda: not sum(routes._connected.values())), "the stuck one holds nothing any more"
    with suppress(OSError):
        stuck.close()

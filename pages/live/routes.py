"""The routes beside Streamlit's own: streams of points, and Plotly's script for the charts that draw them."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from streamlit import config

from transfer import ids, settings
from transfer.errors import UnknownKey

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from pages.live.hub import Hub, Viewer

MOST_RUNS = 60
OWN = ("chart.js", "chart.css")
# A viewer who receives nothing for this long is as good as gone.
STUCK_SECONDS = 20.0
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "vary": "accept-encoding",
    # Keeps proxies from buffering what should arrive at once.
    "x-accel-buffering": "no",
}
# Gzip with a window of 4 KB: the events repeat their own words, and each viewer costs 32 KB of memory.
GZIP_WINDOW, GZIP_MEMORY = 16 + 12, 5
_HERE = Path(__file__).parent
_connected: Counter[str] = Counter()


@functools.cache
def _hub() -> Hub:
    # Imported here because pandas takes half a second; the server answers before.
    from pages.live.hub import Hub
    from pages.parts.common.lab import the_lab

    return Hub(the_lab)


class Stream(Response):
    """Sends a viewer's events until the runs have ended, or the viewer leaves or stops receiving."""

    def __init__(self, viewer: Viewer, address: str, compressed: bool) -> None:
        super().__init__(headers=HEADERS | ({"content-encoding": "gzip"} if compressed else {}))
        del self.headers["content-length"]  # it is not known beforehand
        self.viewer, self.address = viewer, address
        self.gzip = zlib.compressobj(wbits=GZIP_WINDOW, memLevel=GZIP_MEMORY) if compressed else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends until one side ends the connection."""
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            _hub().leave(self.viewer)
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            _gone(self.address)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for frame in self.viewer.frames():
            body = {"type": "http.response.body", "body": self._packed(frame), "more_body": True}
            await asyncio.wait_for(send(body), STUCK_SECONDS)
        end = self.gzip.flush() if self.gzip else b""
        await send({"type": "http.response.body", "body": end, "more_body": False})

    def _packed(self, frame: bytes) -> bytes:
        # Flushed after each event, so that it arrives at once.
        return self.gzip.compress(frame) + self.gzip.flush(zlib.Z_SYNC_FLUSH) if self.gzip else frame


def _gone(address: str) -> None:
    _connected[address] -= 1
    if not _connected[address]:
        del _connected[address]


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def one(request: Request) -> Response:
    """``GET /live/{run}?after=N``: the run's events after number N, and all further ones as they come."""
    return await _stream(request, [request.path_params["run"]])


async def several(request: Request) -> Response:
    """``GET /live?runs=a,b,c&after=5,0,7``: the same for several runs."""
    return await _stream(request, request.query_params.get("runs", "").split(","))


async def _stream(request: Request, runs: list[str]) -> Response:
    address = request.client.host if request.client else ""
    if not same_origin(request):
        return _refused(
            403, "Only the lab's own pages may follow a run.", request.headers.get("origin", "another site")
        )
    if not 0 < len(runs) <= MOST_RUNS or not all(map(ids.is_id, runs)) or len(set(runs)) < len(runs):
        return _refused(400, f"Give the ids of 1 to {MOST_RUNS} runs, each once.", ids.shown(",".join(runs)))
    if _connected[address] >= settings.most_viewers():
        words = f"One address may have at most {settings.most_viewers()} connections (TRANSFER_VIEWERS)."
        return _refused(429, words, address)
    try:
        known = places(runs, request.query_params.get("after", ""), request.headers.get("last-event-id", ""))
    except ValueError as problem:
        return _refused(400, "The number of an event must be 0 or more.", ids.shown(str(problem)))
    # Counted from here on, so that many simultaneous requests cannot exceed the limit.
    _connected[address] += 1
    try:
        compressed = "gzip" in request.headers.get("accept-encoding", "")
        return Stream(await _hub().join(known), address, compressed)
    except BaseException as problem:
        _gone(address)
        if isinstance(problem, UnknownKey):
            return _refused(404, str(problem), ids.shown(",".join(runs)))
        raise


def places(runs: list[str], after: str, last: str) -> dict[str, int]:
    """The last event of each run that the client already has.

    Args:
        runs: their ids.
        after: numbers in the order of the runs, separated by commas; empty: none.
        last: the id of the last event received, which takes precedence: a number, or ``run=number`` with commas.

    Raises:
        ValueError: with the given value, if it is not valid.
    """
    known = dict.fromkeys(runs, 0)
    if last and "=" not in last and len(runs) == 1:
        return {runs[0]: _place(last)}
    if last:
        for part in last.split(","):
            run, _, number = part.partition("=")
            if run not in known:
                raise ValueError(last)
            known[run] = _place(number)
    elif after:
        numbers = after.split(",")
        if len(numbers) != len(runs):
            raise ValueError(after)
        known = {run: _place(number) for run, number in zip(runs, numbers, strict=True)}
    return known


def _place(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ValueError(text)
    return int(text)


def same_origin(request: Request) -> bool:
    """Whether the request comes from a page of this server, or from no page at all (a command line tool)."""
    site = request.headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return True
    origin = request.headers.get("origin")
    if site is None and origin is None:
        return True
    return origin is not None and urlparse(origin).netloc == request.headers.get("host")


def _refused(status: int, words: str, received: str) -> Response:
    return JSONResponse({"error": words, "received": received}, status)


async def plotly(_request: Request) -> Response:
    """Plotly's script, as shipped with the package plotly."""
    import plotly as package

    return _kept(Path(package.__file__).parent / "package_data" / "plotly.min.js")


async def own(request: Request) -> Response:
    """A file of the live component."""
    name = request.path_params["name"]
    return _kept(_HERE / name) if name in OWN else _refused(404, "There is no such file.", ids.shown(name))


def _kept(file: Path) -> Response:
    # The address contains the version, so that a browser may cache it.
    kind = "text/css" if file.suffix == ".css" else "text/javascript"
    return FileResponse(file, media_type=kind, headers={"cache-control": "public, max-age=31536000"})


def base() -> str:
    """The prefix of every path when the lab is served below another address."""
    path = str(config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def plotly_path() -> str:
    """The address of Plotly's script."""
    return f"{base()}/assets/plotly-{_plotly_version()}.min.js"


@functools.cache
def _plotly_version() -> str:
    from importlib.metadata import version

    return version("plotly")


@functools.cache
def own_path(name: str) -> str:
    """The address of a file of the live component; it changes when the file does."""
    return f"{base()}/assets/{hashlib.sha256((_HERE / name).read_bytes()).hexdigest()[:12]}/{name}"


def routes() -> list[Route]:
    """For `streamlit.App`."""
    return [
        Route(f"{base()}/live", several),
        Route(f"{base()}/live/{{run}}", one),
        Route(plotly_path(), plotly),
        Route(f"{base()}/assets/{{version}}/{{name}}", own),
    ]

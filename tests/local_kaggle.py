"""KerasHub's presets without Kaggle: in the library's own cache, or from a small Kaggle on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest


def filled(files: Path, preset: str) -> Path:
    """Puts a preset's files where the library has put what it has downloaded."""
    from kagglehub.cache import Cache
    from kagglehub.handle import parse_model_handle
    from keras_hub.models import Backbone

    handle = parse_model_handle(Backbone.presets[preset]["kaggle_handle"].removeprefix("kaggle://"))
    for file in files.rglob("*"):
        if file.is_file():
            name = str(file.relative_to(files))
            place = Path(Cache().get_path(handle, name))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
            Cache().mark_as_complete(handle, name)
    return Path(Cache().get_path(handle))


def _pointed(patch: pytest.MonkeyPatch, address: str) -> None:
    from kagglesdk import kaggle_env

    patch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    patch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.LOCAL, address)


def unplugged(patch: pytest.MonkeyPatch) -> None:
    """Nobody answers in Kaggle's place."""
    _pointed(patch, "http://127.0.0.1:9")


@contextmanager
def serving(files: Path, patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A small Kaggle on this machine; the names of the files that were asked for. What it serves, breaks off once."""
    import kagglehub.clients

    patch.setattr(kagglehub.clients, "CHUNK_SIZE", 1_000)  # else half of so small a file is never written
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            about = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(302)
            self.send_header("Location", f"/files/{about['path']}")
            self.end_headers()

        def do_GET(self) -> None:
            name = self.path.removeprefix("/files/")
            file = files / name
            if not file.is_file():
                self.send_error(404)
                return
            content = file.read_bytes()
            begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            asked.append(f"{name} from {begin}")
            self.send_response(206 if begin else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            breaks = name.endswith(".h5") and len([one for one in asked if one.startswith(name)]) == 1
            self.wfile.write(content[begin : len(content) // 2] if breaks else content[begin:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    _pointed(patch, f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()

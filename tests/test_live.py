"""Points of live runs by their own path: read once, told to everybody, none missing, none twice; and who is refused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request

from pages.live import hub as hubs
from pages.live import routes
from pages.live.hub import Hub, Viewer
from pages.live.reader import Reader, number
from pages.parts.common.run_log import SessionLog
from transfer import Experiment
from transfer.engine.events import Embedded, PhaseBegan, Point, Resumed, to_record
from transfer.errors import UnknownKey
from transfer.lab import Lab
from transfer.lab.process import myself


class Told:
    """A run that says what a test wants it to say."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.id = lab.submit(Experiment(source="mnist_5k", labels_per_class=1), reserved=myself())
        claimed = lab.store.claim(myself(), "cpu", only=self.id)
        assert claimed is not None
        self.run = claimed
        self.say(PhaseBegan(1, "train", "target", 0, 3, 10, 20, {}))

    def say(self, *events: Any) -> None:
        self.lab.store.append(self.id, [(time.time(), *to_record(event)) for event in events])

    def point(self, step: int, split: str = "train", **values: float) -> None:
        values = {"loss": 2.0 / (1 + step), "accuracy": 0.1 * step} | values
        self.say(Point(split, "target", 1, float(step), step, float(step), values))  # type: ignore[arg-type]  # as said

    def end(self) -> None:
        self.lab.store.finish(self.run, "finished", {"test_accuracy": 0.9, "best_epoch": 1.0}, {}, "")


@pytest.fixture
def told(here: Lab) -> Told:
    return Told(here)


def steps(message: dict[str, Any]) -> list[int]:
    return [row[2] for group in message["points"] for row in group["rows"]]


# Reading -----------------------------------------------------------------------------------------


def test_a_reader_says_what_is_new_and_nothing_else(told: Told) -> None:
    reader = Reader(told.id)
    assert reader.look(told.lab)["points"] == []
    assert reader.look(told.lab) is None
    told.point(1)
    told.point(2, "validation", **{"moved:dense": 0.02})
    message = reader.look(told.lab)
    first, second = message["points"]
    assert [first[name] for name in ("split", "domain", "phase")] == ["train", "target", 1]
    assert first["rows"][0][1:] == [1, 1, 1] and first["same"] == {"loss": 1, "accuracy": 0.1}
    assert second["split"] == "validation" and second["rows"][0][1:] == [2, 2, 2]
    assert second["same"] == {"loss": 0.666667, "accuracy": 0.2, "moved:dense": 0.02}
    assert message["best"] == {"epoch": 2, "step": 2, "seconds": 2, "loss": 0.666667, "accuracy": 0.2}
    assert "dense" in message["moved"]["html"] and message["said"]["accuracy"]
    assert message["n"] == second["rows"][0][0] and reader.since(0)["structure"][0] == "running"
    assert reader.look(told.lab) is None and steps(reader.since(first["rows"][0][0])) == [2]
    told.end()
    assert reader.look(told.lab)["state"] == "finished" and reader.ended


def test_what_points_have_in_common_is_said_once_and_what_one_lacks_is_left_out(told: Told) -> None:
    reader = Reader(told.id)
    for step in range(3):
        told.point(step, learning_rate=0.1)
    told.say(Point("train", "target", 1, 3.0, 3, 3.0, {"loss": float("nan"), "pull": 2.0}))
    alike, other = reader.look(told.lab)["points"]
    assert (alike["names"], alike["same"]) == (["loss", "accuracy"], {"learning_rate": 0.1})
    assert [row[1:] for row in alike["rows"]] == [[0, 0, 0, 2, 0], [1, 1, 1, 1, 0.1], [2, 2, 2, 0.666667, 0.2]]
    assert other["rows"][0][1:] == [3, 3, 3] and other["same"] == {"loss": None, "pull": 2}


def test_what_did_not_change_is_not_said_again(told: Told) -> None:
    reader = Reader(told.id)
    told.point(0)
    told.point(1, "validation")
    assert {"structure", "said", "best", "moved", "progress"} <= set(reader.look(told.lab))
    told.point(2)
    assert set(reader.look(told.lab)) == {"run", "n", "time", "state", "resumed", "points"}
    assert {"structure", "said", "best", "moved", "progress"} <= set(reader.since(0)), "who comes later is told all"


def test_sessions_share_what_was_read_and_each_draws_what_it_saw(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    events = told.lab.events
    monkeypatch.setattr(told.lab, "events", lambda run, after=0: asked.append(after) or events(run, after))
    one, other = SessionLog(told.id), SessionLog(told.id)
    told.point(0)
    one.read(told.lab, told.run)
    seen = one.cursor
    told.say(
        Point("train", "target", 1, 1.0, 1, 1.0, {"loss": 1.0}), PhaseBegan(2, "again", "target", 1, 3, 10, 20, {})
    )
    other.read(told.lab, told.run)
    assert asked == [0, seen], "the second reads on where the first stopped"
    assert (len(one.history), len(one.phases), one.cursor) == (1, 1, seen), "what one draws holds still"
    assert (len(other.history), len(other.phases)) == (2, 2)
    told.lab.store.finish(told.run, "paused", {}, {}, "")
    told.lab.store.requeue(told.id, myself())
    resumed = told.lab.store.claim(myself(), "cpu", only=told.id)
    told.say(Resumed("target", 0))
    other.read(told.lab, resumed)
    one.read(told.lab, told.run)  # as it was when that session looked last
    assert asked[2:] == [0, other.cursor], "not read anew for whoever has not heard of the resumption"
    assert (one.resumed, len(one.history)) == (other.resumed, len(other.history)) == (1, 1)


def test_both_domains_are_told_after_each_epoch_and_are_no_reason_to_draw_the_page_anew(told: Told) -> None:
    reader = Reader(told.id)
    told.say(Embedded(0.0, [[0.5, 0.25]], [1], [[-1.0, 2.0], [0.0, 0.0]], [1, 0]))
    first = reader.look(told.lab)
    assert first["plane"]["places"] == [[[0.5], [0.25]], [[-1.0, 0.0], [2.0, 0.0]]]
    assert first["plane"]["said"] == "1 source and 2 target pictures after epoch 0"
    told.say(Embedded(1.0, [[0.5, 0.25]], [1], [[-3.0, 2.0], [0.0, 0.0]], [1, 0]))
    second = reader.look(told.lab)
    assert "structure" not in second and second["plane"]["reach"] == pytest.approx((3.15, 2.1))


def test_what_is_drawn_for_changes_with_a_wish_a_phase_and_a_note(told: Told) -> None:
    reader = Reader(told.id)
    seen = [reader.look(told.lab)["structure"]]
    told.point(1)
    reader.look(told.lab)
    assert reader.since(0)["structure"] == seen[-1], "a point is no reason to draw the page anew"
    told.lab.store.wish(told.id, "pause")
    seen.append(reader.look(told.lab)["structure"])
    told.say(PhaseBegan(2, "fine-tune", "target", 1, 3, 10, 20, {}))
    seen.append(reader.look(told.lab)["structure"])
    assert len({str(one) for one in seen}) == 3


def test_points_that_were_made_anew_after_a_pause_are_told_anew(told: Told) -> None:
    reader = Reader(told.id)
    for step in range(4):
        told.point(step)
    assert steps(reader.look(told.lab)) == [0, 1, 2, 3]
    told.say(Resumed("target", 1))
    told.point(2, loss=9.0)
    message = reader.look(told.lab)
    assert message["anew"] and steps(message) == [0, 1, 2] and message["points"][-1]["rows"][-1][4] == 9


def test_what_is_no_number_is_null_and_digits_are_few() -> None:
    assert number(float("nan")) is None and number(float("inf")) is None
    assert (number(0.123456789), number(3.0), number("train")) == (0.123457, 3, "train")
    assert number(1764100000123) == 1764100000123


# Telling -----------------------------------------------------------------------------------------


def gathered(told: Told, act: Callable[[Hub], Any]) -> Any:
    """What comes of it in an event loop of its own."""

    async def within() -> Any:
        hub = Hub(lambda: told.lab)
        try:
            return await act(hub)
        finally:
            for channel in hub._channels.values():
                if channel.task is not None:
                    channel.task.cancel()

    return asyncio.run(asyncio.wait_for(within(), 20))


def parsed(frames: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for frame in frames:
        fields = dict(line.split(": ", 1) for line in frame.decode().strip().splitlines())
        if "data" in fields and "event" not in fields:
            found.append(json.loads(fields["data"]) | {"id": fields["id"]})
    return found


def test_a_look_that_fails_is_tried_again_and_its_points_come_then(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(hubs, "AGAIN_SECONDS", 0.05)
    plain, failures = Reader.look, [OSError("no room"), OSError("still none")]

    def look(reader: Reader, lab: Lab) -> Any:
        if failures and reader.log.cursor:
            raise failures.pop()
        return plain(reader, lab)

    async def act(hub: Hub) -> list[bytes]:
        told.point(0)
        viewer = await hub.join({told.id: 0})
        monkeypatch.setattr(Reader, "look", look)
        watching = asyncio.create_task(_all(viewer))
        told.point(1)
        await asyncio.sleep(0.3)
        told.end()
        return await watching

    async def _all(viewer: Viewer) -> list[bytes]:
        return [frame async for frame in viewer.frames()]

    found = parsed(gathered(told, act))
    assert [step for message in found for step in steps(message)] == [0, 1] and not failures


def test_many_viewers_have_one_reader_and_miss_nothing(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "EVERY_SECONDS", 0.02)
    looks = []
    plain = Reader.look
    monkeypatch.setattr(Reader, "look", lambda reader, lab: (looks.append(time.monotonic()), plain(reader, lab))[1])

    async def watched(hub: Hub, after: int = 0) -> list[bytes]:
        viewer = await hub.join({told.id: after})
        return [frame async for frame in viewer.frames()]

    async def act(hub: Hub) -> list[list[bytes]]:
        watching = [asyncio.create_task(watched(hub)) for _ in range(30)]
        for step in range(20):
            told.point(step)
            await asyncio.sleep(0.01)
            if step == 10:
                watching.append(asyncio.create_task(watched(hub)))
        told.end()
        return list(await asyncio.gather(*watching))

    several = gathered(told, act)
    assert all(sum(map(steps, parsed(frames)), []) == list(range(20)) for frames in several)
    assert all(frames[-1].startswith(b"event: end") for frames in several)
    assert len(looks) < 31 + 2 * 20, "a look for each who joins, and then one for all"


def test_a_viewer_goes_on_where_it_stopped(told: Told) -> None:
    for step in range(5):
        told.point(step)
    told.end()

    async def act(hub: Hub) -> tuple[list[bytes], list[bytes]]:
        whole = [frame async for frame in (await hub.join({told.id: 0})).frames()]
        known = parsed(whole)[0]["points"][0]["rows"][2][0]
        return whole, [frame async for frame in (await hub.join({told.id: known})).frames()]

    whole, rest = map(parsed, gathered(told, act))
    assert steps(whole[0]) == [0, 1, 2, 3, 4] and steps(rest[0]) == [3, 4]
    assert int(whole[0]["id"]) == told.lab.store.events(told.id)[-1].n


def test_several_runs_come_in_one_stream_and_each_has_a_place(here: Lab) -> None:
    first, second = Told(here), Told(here)
    first.point(1)
    second.point(2)
    first.end()
    second.end()

    async def act(hub: Hub) -> list[bytes]:
        return [frame async for frame in (await hub.join({first.id: 0, second.id: 0})).frames()]

    messages = parsed(gathered(first, act))
    assert {message["run"]: steps(message) for message in messages} == {first.id: [1], second.id: [2]}
    places = routes.places([first.id, second.id], "", messages[-1]["id"])
    assert places == {one.id: here.store.events(one.id)[-1].n for one in (first, second)}


def test_who_is_too_slow_is_sent_away_with_a_word_and_nothing_is_kept_for_it() -> None:
    viewer = Viewer({"a": 0})
    for n in range(10 * hubs.MOST_WAITING):
        viewer.put({"run": "a", "n": n, "state": "running", "points": []})
    assert viewer.waiting.qsize() == hubs.MOST_WAITING

    async def last() -> bytes:
        return [frame async for frame in viewer.frames()][-1]

    assert asyncio.run(last()).startswith(b"event: slow") and b"Too slow" in asyncio.run(last())


def test_a_run_that_is_not_there_leaves_no_channel_behind(told: Told) -> None:
    async def act(hub: Hub) -> int:
        with pytest.raises(UnknownKey):
            await hub.join({"nobody": 0})
        return len(hub._channels)

    assert gathered(told, act) == 0


# Asking ------------------------------------------------------------------------------------------


def test_places_are_numbers_of_events() -> None:
    assert routes.places(["a"], "", "") == {"a": 0}
    assert routes.places(["a"], "7", "") == {"a": 7}
    assert routes.places(["a"], "7", "9") == {"a": 9}, "what was received last counts more than the address"
    assert routes.places(["a", "b"], "7,8", "") == {"a": 7, "b": 8}
    assert routes.places(["a", "b"], "", "b=4,a=3") == {"a": 3, "b": 4}


@pytest.mark.parametrize("after", ["-1", "1e3", "x", "9" * 30, "٣", "1,2", "0x1", " 1", "1.5"])
def test_what_is_no_place_is_refused(after: str) -> None:
    with pytest.raises(ValueError):
        routes.places(["a"], after, "")


def asked(path: str, address: str = "1.2.3.4", **headers: str) -> tuple[int, dict[str, Any]]:
    """Status and words of an answer that is no stream."""
    where, _, query = path.partition("?")
    given = {"host": "lab:8501"} | {name.replace("_", "-"): value for name, value in headers.items()}
    scope = {
        "type": "http", "method": "GET", "path": where, "query_string": query.encode(), "client": (address, 1),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "path_params": {"run": where.removeprefix("/live/")},
    }  # fmt: skip
    answer = asyncio.run((routes.several if where == "/live" else routes.one)(Request(scope)))
    return answer.status_code, json.loads(answer.body) if answer.body else {}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/live/nobody", 404, "no run of that name"),
        ("/live/..%2f..", 400, "ids of 1 to"),
        ("/live/Ü", 400, "ids of 1 to"),
        ("/live", 400, "ids of 1 to"),
        ("/live?runs=a,a", 400, "each once"),
        ("/live?runs=" + ",".join(f"a{n}" for n in range(routes.MOST_RUNS + 1)), 400, "ids of 1 to"),
        ("/live/nobody?after=-1", 400, "0 or more"),
        ("/live/nobody?after=" + "9" * 40, 400, "0 or more"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(here: Lab, path: str, status: int, words: str) -> None:
    found, said = asked(path)
    assert found == status and words in said["error"] and "received" in said


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"origin": "http://lab:8501"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://lab:9999"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site", "origin": "http://other.lab:8501"}, False),
    ],
)
def test_only_the_labs_own_pages_may_follow(here: Lab, headers: dict[str, str], allowed: bool) -> None:
    assert asked("/live/nobody", **headers)[0] == (404 if allowed else 403)


def test_one_address_has_a_limit_that_is_said(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_VIEWERS", "3")
    monkeypatch.setitem(routes._connected, "1.2.3.4", 3)
    status, said = asked("/live/nobody")
    assert status == 429 and "3 connections" in said["error"]
    assert asked("/live/nobody", address="5.6.7.8")[0] == 404


def test_routes_lie_below_the_path_at_which_the_lab_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes.config, "get_option", lambda name: "/class/lab/")
    assert [one.path for one in routes.routes()][:2] == ["/class/lab/live", "/class/lab/live/{run}"]

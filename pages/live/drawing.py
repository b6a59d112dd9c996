"""The live component on a page: a chart, the line of what a run is doing, and how far its stages have moved."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.live.reader import number
from pages.live.routes import base, own_path, plotly_path

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from pages.parts.log import Log

# So long a figure that was drawn for one viewer will do for others; what came meanwhile is appended.
SHARED_SECONDS = 5.0
MOVED_HELP = "How far a stage's weights are from where they started, relative to their size (relative L2)."
_HERE = Path(__file__).parent
# Not isolated: Plotly puts its styles into the document's head.
_loaded = st.components.v2.component("transfer_live", js=(_HERE / "loader.js").read_text("utf-8"), isolate_styles=False)


def _component(key: str, data: dict[str, Any], **named: Any) -> None:
    _loaded(key=key, data=data | {"script": own_path("chart.js"), "style": own_path("chart.css")}, **named)


@dataclass(frozen=True)
class Followed:
    """What a part of the page follows.

    Args:
        known: of each live run, the last event that is drawn already; empty: nothing is followed.
        resumed: how often each of them has gone on from a checkpoint.
        run: the one whose words are shown; empty where several are equals.
    """

    known: Mapping[str, int]
    resumed: Mapping[str, int]
    run: str = ""

    @classmethod
    def of(cls, logs: Mapping[str, Log], run: str = "") -> Followed:
        """The streams of live runs, from where their logs end."""
        known = {one: log.cursor for one, log in logs.items()}
        return cls(known, {one: log.resumed for one, log in logs.items()}, run)

    @property
    def address(self) -> str:
        """Of the stream, as a browser asks for it; empty when there is nothing to follow."""
        runs = list(self.known)
        if len(runs) == 1:
            return f"{base()}/live/{runs[0]}"
        return f"{base()}/live?runs={','.join(runs)}" if runs else ""

    def fields(self) -> dict[str, Any]:
        """What every part of the component needs of it."""
        known, resumed = dict(self.known), dict(self.resumed)
        return {"url": self.address, "runs": list(known), "known": known, "resumed": resumed, "run": self.run}


@dataclass(frozen=True)
class Words:
    """What stands above a chart: its title, a sentence about it, and how it can mislead."""

    title: str
    said: str
    help: str = ""


@dataclass(frozen=True)
class View:
    """How points are looked at.

    Args:
        axis: what lies along x: a field of a point, or one of its values.
        source: whether points on the source are drawn.
        runs: the id of each curve's run.
    """

    axis: str = "epoch"
    source: bool = True
    runs: Sequence[str] = ()


def chart(
    key: str, draw: Callable[[], go.Figure], words: Callable[[], Words], value: str, view: View, follow: Followed,
    drawn_for: Sequence[Any] = (),
) -> None:  # fmt: skip
    """A chart in a DOM node of its own, in which points are appended.

    Args:
        key: of the chart on its page.
        draw: gives its figure. The traces say in ``meta`` whose points they hold: ``{"curve": 0, "split": "train"}``
            (or ``"run"``, its id), with ``value`` of which value, if not of the chart's, with ``from`` where x begins,
            with ``smooth`` how they go on being smoothed; ``{"best": 0}`` marks the best epoch, ``{"plane": 0}`` a
            domain in the plane.
        words: gives what stands above it.
        value: what is drawn, for the points to come.
        view: which points are appended, and where.
        follow: what is appended.
        drawn_for: all that the figure depends on but points; viewers for whom this is alike, and whom a change brings
            here together, are given one figure. Empty: it is nobody else's.
    """

    def compose() -> dict[str, Any]:
        composed, above = draw(), words()
        figure = composed.to_dict()
        figure["layout"].pop("template", None)  # 7 KB of colours, of which the page has its own
        alt = f"{above.title}: {above.said}".removeprefix(": ")
        said = {"title": above.title, "said": above.said, "help": above.help, "alt": alt}
        return {"figure": plain(figure), **_live_traces(composed, view), **said, **follow.fields()}

    shared = _shared(repr([key, value, view, *drawn_for]), compose) if drawn_for else compose()
    about = {"plotly": plotly_path(), "name": key, "value": value, "axis": view.axis, "source": view.source}
    _component(key, {"kind": "chart", **about, **shared})


@st.cache_resource(ttl=SHARED_SECONDS, max_entries=100, show_spinner=False)
def _shared(alike: str, _compose: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return _compose()


def _live_traces(figure: go.Figure, view: View) -> dict[str, Any]:
    """Which traces are appended to (``series``), which is the ``star``, and which are ``places`` in the plane."""
    series: list[dict[str, Any]] = []
    star, places = None, []
    for place, trace in enumerate(figure.data):
        meta = trace.meta or {}
        if "split" in meta:
            usual = {"legend": False, "domain": None, "value": None}
            run = meta["run"] if "run" in meta else view.runs[meta["curve"]]
            series.append(usual | meta | {"trace": place, "run": run})
        elif meta.get("best") == 0:
            star = place
        elif "plane" in meta:
            places.append(place)
    return {"series": series, "star": star, "places": places}


def status(
    key: str, progress: Mapping[str, Any], structures: Mapping[str, Sequence[Any]], follow: Followed,
    shares: Mapping[str, float] | None = None,
) -> None:  # fmt: skip
    """What is being done; draws its part of the page anew when a run's structure no longer begins as drawn.

    Args:
        key: of the line on its page.
        progress: in words, and the share done, 0 to 1.
        structures: of each live run, what it is drawn for (`pages.live.status.structure`), or the beginning of that.
        follow: the runs.
        shares: of each run of several, how much of it is done: the bar then shows their mean.
    """
    drawn_for = {run: list(structure) for run, structure in structures.items()}
    data = {"kind": "status", "progress": dict(progress), "structures": drawn_for, "shares": dict(shares or {})}
    _component(key=key, data=data | follow.fields(), on_changed_change=_nothing)


def moved(key: str, said: Mapping[str, str], follow: Followed) -> None:
    """How far each stage has moved: a sentence, and bars as HTML."""
    words = {"title": "What moved", "help": MOVED_HELP}
    _component(key=key, data={"kind": "moved", "moved": dict(said), **words, **follow.fields()})


def meters(key: str, device: str, said: str, follow: Followed) -> None:
    """The device, and how much of it a run takes at the moment."""
    _component(key=key, data={"kind": "meters", "device": device, "meters": said, **follow.fields()})


def _nothing() -> None:
    """The drawing that follows is all there is to do."""


_Plain = dict[str, Any] | list[Any] | str | float | int | bool | None


def plain(value: Any) -> _Plain:
    """What JSON can hold of a figure: arrays as lists, with the digits that points come with, None for no number."""
    if isinstance(value, dict) and {"dtype", "bdata"} <= set(value):
        # As plotly packs arrays; only to plain ones can points be appended.
        return plain(np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]))
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return [number(one) for one in value.tolist()] if value.dtype.kind == "f" else plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value  # text, a truth or nothing

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

    from pages.parts.common.run_log import Log

# How long a figure drawn for one viewer is reused for others; newer points are appended.
SHARED_SECONDS = 5.0
MOVED_HELP = "How far a stage's weights are from where they started, relative to their size (relative L2)."
_HERE = Path(__file__).parent
# Not isolated, because Plotly puts its styles into the document's head.
_loaded = st.components.v2.component("transfer_live", js=(_HERE / "loader.js").read_text("utf-8"), isolate_styles=False)


def _component(key: str, data: dict[str, Any], **named: Any) -> None:
    _loaded(key=key, data=data | {"script": own_path("chart.js"), "style": own_path("chart.css")}, **named)


@dataclass(frozen=True)
class Followed:
    """The runs that a part of the page follows.

    Args:
        known: the last event already drawn, by live run; empty: nothing is followed.
        resumed: how often each of them was resumed from a checkpoint.
        run: the one whose status is shown; empty if several are shown side by side.
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
        """The stream's address for the browser; empty if there is nothing to follow."""
        runs = list(self.known)
        if len(runs) == 1:
            return f"{base()}/live/{runs[0]}"
        return f"{base()}/live?runs={','.join(runs)}" if runs else ""

    def fields(self) -> dict[str, Any]:
        """The data that every part of the component needs."""
        known, resumed = dict(self.known), dict(self.resumed)
        return {"url": self.address, "runs": list(known), "known": known, "resumed": resumed, "run": self.run}


@dataclass(frozen=True)
class Words:
    """The text above a chart: its title, a sentence about it, and how it can mislead."""

    title: str
    said: str
    help: str = ""


@dataclass(frozen=True)
class View:
    """How points are shown.

    Args:
        axis: the quantity on the x axis: a field of a point, or one of its values.
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
    """A chart in its own DOM node, to which points are appended.

    Args:
        key: of the chart on its page.
        draw: returns its figure. The ``meta`` of a trace says whose points it holds: ``{"curve": 0, "split": "train"}``
            (or ``"run"``, its id); ``value`` is the plotted value if not the chart's own, ``from`` the start of x,
            ``smooth`` how to continue smoothing. ``{"best": 0}`` marks the best epoch, ``{"plane": 0}`` a
            domain in the plane.
        words: returns the text above it.
        value: the value that is plotted, for the points to come.
        view: which points are appended, and at which x.
        follow: the runs whose points are appended.
        drawn_for: everything the figure depends on except points; viewers who share it and are redrawn by the same
            change get the same figure. Empty: the figure is not shared.
    """

    def compose() -> dict[str, Any]:
        composed, above = draw(), words()
        figure = composed.to_dict()
        figure["layout"].pop("template", None)  # 7 KB of colours; the page has its own
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
    """The traces that are appended to (``series``), the ``star``, and the ``places`` in the plane."""
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
    """The status line; redraws its part of the page when a run's structure no longer begins as drawn.

    Args:
        key: of the line on its page.
        progress: in words, and the share done, 0 to 1.
        structures: each live run's structure as drawn (`pages.live.status.structure`), or the beginning of it.
        follow: the runs.
        shares: if there are several runs, the share of each that is done; the bar shows their mean.
    """
    drawn_for = {run: list(structure) for run, structure in structures.items()}
    data = {"kind": "status", "progress": dict(progress), "structures": drawn_for, "shares": dict(shares or {})}
    _component(key=key, data=data | follow.fields(), on_changed_change=_nothing)


def moved(key: str, said: Mapping[str, str], follow: Followed) -> None:
    """How far each stage has moved: a sentence, and bars as HTML."""
    words = {"title": "What moved", "help": MOVED_HELP}
    _component(key=key, data={"kind": "moved", "moved": dict(said), **words, **follow.fields()})


def meters(key: str, device: str, said: str, follow: Followed) -> None:
    """The device, and how much of it a run uses at the moment."""
    _component(key=key, data={"kind": "meters", "device": device, "meters": said, **follow.fields()})


def _nothing() -> None:
    """A callback that does nothing: the rerun that follows is enough."""


_Plain = dict[str, Any] | list[Any] | str | float | int | bool | None


def plain(value: Any) -> _Plain:
    """A figure as JSON can hold it: arrays as lists, rounded like the points, None for NaN."""
    if isinstance(value, dict) and {"dtype", "bdata"} <= set(value):
        # Plotly packs arrays, but points can only be appended to plain ones.
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
    return value  # text, a bool or None

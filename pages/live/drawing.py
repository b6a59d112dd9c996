"""The live component on a page: a chart, the line of what a run is doing, and how far its stages have moved."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.live.routes import base, plotly_path

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from pages.parts.log import Log

MOVED_HELP = "How far a stage's weights are from where they started, relative to their size (relative L2)."
_HERE = Path(__file__).parent
# Not isolated: Plotly puts its styles into the document's head.
_component = st.components.v2.component(
    "transfer_live",
    js=(_HERE / "chart.js").read_text("utf-8"),
    css=(_HERE / "chart.css").read_text("utf-8"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Followed:
    """What a part of the page follows.

    Args:
        logs: of each run that is live, what is drawn of it already; empty: nothing is followed.
        run: the one whose words are shown.
    """

    logs: Mapping[str, Log]
    run: str = ""

    @property
    def address(self) -> str:
        """Of the stream, as a browser asks for it; empty when there is nothing to follow."""
        runs = list(self.logs)
        if len(runs) == 1:
            return f"{base()}/live/{runs[0]}"
        return f"{base()}/live?runs={','.join(runs)}" if runs else ""

    def fields(self) -> dict[str, Any]:
        """What every part of the component needs of it."""
        known = {run: log.cursor for run, log in self.logs.items()}
        resumed = {run: log.resumed for run, log in self.logs.items()}
        return {"url": self.address, "known": known, "resumed": resumed, "run": self.run}


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
        axis: what lies along x.
        source: whether points on the source are drawn.
        runs: the run of each curve.
    """

    axis: str
    source: bool
    runs: Sequence[str]


def chart(key: str, figure: go.Figure, words: Words, value: str, view: View, follow: Followed) -> None:
    """A chart in a DOM node of its own, in which points are appended.

    Args:
        key: of the chart on its page.
        figure: its traces say in ``meta`` whose points they hold: ``{"curve": 0, "split": "train"}``, and with
            ``value`` of which value, if not of the chart's; ``{"best": 0}`` marks the best epoch.
        words: above it.
        value: what is drawn, for the points to come.
        view: which points are appended, and where.
        follow: what is appended.
    """
    series = []
    star = None
    for place, trace in enumerate(figure.data):
        meta = trace.meta or {}
        if "split" in meta:
            usual = {"legend": False, "domain": None, "value": None}
            series.append(usual | meta | {"trace": place, "run": view.runs[meta["curve"]]})
        elif meta.get("best") == 0:
            star = place
    data = {
        "kind": "chart", "plotly": plotly_path(), "figure": plain(figure.to_dict()), "title": words.title,
        "said": words.said, "help": words.help, "alt": f"{words.title}: {words.said}", "name": key, "value": value,
        "axis": view.axis, "source": view.source, "series": series, "star": star, **follow.fields(),
    }  # fmt: skip
    _component(key=key, data=data)


def status(key: str, progress: Mapping[str, Any], structure: Sequence[Any], follow: Followed) -> None:
    """What the run is doing; draws the page anew when the run's structure is another than ``structure``."""
    data = {"kind": "status", "progress": dict(progress), "structure": list(structure), **follow.fields()}
    _component(key=key, data=data, on_changed_change=_nothing)


def moved(key: str, said: Mapping[str, str], follow: Followed) -> None:
    """How far each stage has moved: a sentence, and bars as HTML."""
    words = {"title": "What moved", "help": MOVED_HELP}
    _component(key=key, data={"kind": "moved", "moved": dict(said), **words, **follow.fields()})


def _nothing() -> None:
    """The drawing that follows is all there is to do."""


_Plain = dict[str, Any] | list[Any] | str | float | int | bool | None


def plain(value: Any) -> _Plain:
    """What JSON can hold of a figure: arrays as lists, and None where there is no number."""
    if isinstance(value, dict) and {"dtype", "bdata"} <= set(value):
        # As plotly packs arrays; only to plain ones can points be appended.
        return plain(np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]))
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value  # text, a truth or nothing

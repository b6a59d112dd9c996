"""The backbone's stages in a row: what will happen to each, or how far each has moved."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from transfer.insight.plan import KINDS, Fate

# Paul Tol's "light" hues, translucent so that they suit both themes; the words say the same as the colours.
HUES = {
    "frozen": "119,170,221",
    "trained": "238,136,102",
    "partly": "238,221,136",
    "new": "170,170,0",
    "dropped": "140,140,140",
}
CELL = (
    "flex:1 1 3.6rem;min-width:3.6rem;padding:.15rem .3rem;border-radius:.25rem;line-height:1.25;overflow:hidden;"
    "text-overflow:ellipsis;font-size:.8rem"
)
ROW = "display:flex;flex-wrap:wrap;gap:.2rem"


def plan(fates: Sequence[Fate]) -> None:
    """What will happen to each stage, bottom to top, with a legend of the colours."""
    cells = "".join(
        f'<div style="{CELL};background:rgba({HUES[one.kind]},.45);{"opacity:.55;" if one.kind == "dropped" else ""}"'
        f' title="{escape(one.stage)}: {KINDS[one.kind]}; {escape(one.words)}"><b>{escape(one.stage)}</b><br>'
        f'<span style="font-size:.72rem">{escape(one.words)}</span></div>'
        for one in fates
    )
    kinds = dict.fromkeys(one.kind for one in fates)
    key = "".join(
        f'<span style="margin-right:.8rem;white-space:nowrap"><span style="display:inline-block;width:.7rem;'
        f'height:.7rem;border-radius:.15rem;background:rgba({HUES[kind]},.8)"></span> {KINDS[kind]}</span>'
        for kind in kinds
    )
    st.html(f'<div style="{ROW}">{cells}</div><div style="font-size:.75rem;margin-top:.3rem;opacity:.8">{key}</div>')


def moved(distances: dict[str, float]) -> str:
    """How far each stage is from its starting weights, as bars on a common scale; HTML for `pages/live/chart.css`.

    Args:
        distances: relative L2 distance from the start by stage, bottom to top.
    """
    most = max(distances.values(), default=0.0)
    cells = "".join(
        f'<div style="--far:{_height(far, most)}%" title="{escape(name)}: moved by {100 * far:.2f} % of its size">'
        f"<b>{escape(name)}</b><br>{_percent(far)}</div>"
        for name, far in distances.items()
    )
    return f'<div class="live-moved">{cells}</div>'


def _height(far: float, most: float) -> int:
    return round(100 * far / most) if most else 0


def _percent(far: float) -> str:
    if not far:
        return "still"
    return f"{100 * far:.0f}\u00a0%" if far >= 0.1 else f"{100 * far:.2g}\u00a0%"

"""Which device is used, its memory, and how much of it a live run uses."""

from __future__ import annotations

import streamlit as st

from pages.live import drawing
from pages.live.status import meters
from pages.parts.common.lab import the_lab
from transfer.insight import words
from transfer.lab import Run
from transfer.lab.devices import Device, devices


@st.cache_data(show_spinner=False)
def _devices() -> list[Device]:
    return devices()


def line(run: Run | None, follow: drawing.Followed) -> None:
    """The device in words and, while the run trains, its meters."""
    known = {device.key: device for device in _devices()}
    device = known.get(run.device if run else "") or next(iter(known.values()))
    kind = "Processor" if device.key == "cpu" else "Graphics card"
    said = f"{kind}: {device.name}, {words.memory(device.memory_mb)}"
    if run is not None and run.live:
        drawing.meters("live_meters", said, meters(the_lab(), run), follow)
        return
    if run is not None and run.metrics.get("peak_memory_mb"):
        said += f" · peak memory of this run {words.memory(run.metrics['peak_memory_mb'])}"
    st.caption(f":material/memory: {said}")

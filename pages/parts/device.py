"""Which device is used, its memory, and how much of it a run takes while it goes on."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import the_lab
from transfer.lab import Run
from transfer.lab.devices import Device, devices


@st.cache_data(show_spinner=False)
def _devices() -> list[Device]:
    return devices()


def line(run: Run | None) -> None:
    """The device in words and, while the run trains, its meters."""
    known = {device.key: device for device in _devices()}
    device = known.get(run.device if run else "") or next(iter(known.values()))
    kind = "Processor" if device.key == "cpu" else "Graphics card"
    parts = [f":material/memory: {kind}: {device.name}, {_memory(device.memory_mb)}"]
    meters = the_lab().meters(run) if run is not None and run.state == "running" else {}
    if "gpu_percent" in meters:
        parts.append(f"in use {meters['gpu_percent']:.0f} %, {_memory(meters['gpu_memory_mb'])} of its memory")
    if "cpu_percent" in meters:
        parts.append(f"this run: {meters['cpu_percent'] / 100:.1f} cores, {_memory(meters['memory_mb'])}")
    elif run is not None and run.metrics.get("peak_memory_mb"):
        parts.append(f"this run took {_memory(run.metrics['peak_memory_mb'])} at most")
    st.caption(" · ".join(parts))


def _memory(megabytes: float) -> str:
    return f"{megabytes / 1024:.1f} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"

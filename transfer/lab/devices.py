"""The devices a run can train on, found without TensorFlow, and how they are divided into slots."""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from transfer import settings


@dataclass(frozen=True)
class Device:
    """A CPU or graphics card.

    Args:
        key: ``cpu``, or ``gpu0`` and so on in the order of ``nvidia-smi``.
        name: the manufacturer's name.
        memory_mb: its memory in megabytes.
    """

    key: str
    name: str
    memory_mb: int

    @property
    def index(self) -> int | None:
        """Its number among the graphics cards, None for the CPU."""
        return int(self.key.removeprefix("gpu")) if self.key.startswith("gpu") else None


def devices() -> list[Device]:
    """The graphics cards this process may use (``CUDA_VISIBLE_DEVICES``), and the CPU last."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    cards = [device for device, uuid in _cards() if _visible(device, uuid, allowed)]
    return [*cards, _processor()]


def slots() -> list[str]:
    """Slots, each of which trains one run at a time: ``gpu0-0``, or ``cpu-0`` if there is no graphics card."""
    everything = devices()
    usable = [one for one in everything if one.index is not None] or everything
    return [f"{one.key}-{number}" for one in usable for number in range(settings.runs_per_device())]


def prepare(slot: str) -> None:
    """Lets TensorFlow, not yet imported, see only the slot's card and share its memory with others."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if slot.startswith("gpu"):
        os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        os.environ["CUDA_VISIBLE_DEVICES"] = device_of(slot).removeprefix("gpu")


def device_of(slot: str) -> str:
    """The key of the device a slot is part of."""
    return slot.rpartition("-")[0]


def gpu_meters(device: str, pid: int) -> dict[str, float]:
    """Load and memory of a graphics card, and the process's share of that memory; empty if unavailable."""
    nvml, number = _nvml(), Device(device, "", 0).index
    if nvml is None or number is None:
        return {}
    try:
        card = nvml.nvmlDeviceGetHandleByIndex(number)
        used = [one.usedGpuMemory for one in nvml.nvmlDeviceGetComputeRunningProcesses(card) if one.pid == pid]
        memory = nvml.nvmlDeviceGetMemoryInfo(card)
        load = nvml.nvmlDeviceGetUtilizationRates(card).gpu
    except nvml.NVMLError:
        return {}
    # Inside a container the card reports other process numbers; the whole card's memory is then used instead.
    mine = used[0] if used and used[0] else memory.used
    return {
        "gpu_percent": float(load),
        "gpu_memory_mb": round(int(mine) / 2**20, 1),
        "gpu_memory_total_mb": round(int(memory.total) / 2**20, 1),
    }


def _visible(device: Device, uuid: str, allowed: str | None) -> bool:
    if allowed is None:
        return True
    names = [name.strip() for name in allowed.split(",")]
    return str(device.index) in names or any(name.startswith("GPU-") and uuid.startswith(name) for name in names)


@functools.cache
def _nvml() -> Any:
    """NVIDIA's management library, ready, or None on a machine without a card or driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


@functools.cache
def _cards() -> list[tuple[Device, str]]:
    nvml, found = _nvml(), []
    if nvml is None:
        return []
    for number in range(nvml.nvmlDeviceGetCount()):
        card = nvml.nvmlDeviceGetHandleByIndex(number)
        memory = int(nvml.nvmlDeviceGetMemoryInfo(card).total) // 2**20
        device = Device(f"gpu{number}", str(nvml.nvmlDeviceGetName(card)), memory)
        found.append((device, str(nvml.nvmlDeviceGetUUID(card))))
    return found


@functools.cache
def _processor() -> Device:
    name, described = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if described.exists():
        models = [line for line in described.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return Device("cpu", f"{name}, {psutil.cpu_count() or 1} threads", psutil.virtual_memory().total // 2**20)

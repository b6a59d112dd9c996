"""Pictures."""

from __future__ import annotations

from transfer.experiment import Options
from transfer.modalities import Kind


class Intake(Options):
    """Pictures have no option but image_size."""


KIND = Kind("image", "picture", "pictures", "pixels", Intake, "image_size")

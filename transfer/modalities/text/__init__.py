"""Texts."""

from __future__ import annotations

from pydantic import Field

from transfer.experiment import Options, unit
from transfer.modalities import Kind


class Intake(Options):
    """Intake of texts."""

    tokens: int | None = Field(
        None,
        ge=4,
        le=512,
        description="Tokens of each text that the network reads, from its beginning; the rest is cut off. Empty: the "
        "backbone's usual length.",
        json_schema_extra=unit("tokens", "auto"),
    )


KIND = Kind("text", "text", "texts", "tokens", Intake, "tokens")

"""The options of every strategy's head; not itself a strategy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from transfer import experiment


class HeadOptions(experiment.Options):
    """The head."""

    head: Literal["auto", "new"] = Field(
        "auto",
        description="auto: keep the source's output layer when the classes are the same. new: always start a new one.",
    )
    hidden: str = Field(
        "",
        pattern=r"^\s*\d{1,4}(\s*[, ]\s*\d{1,4}){0,3}\s*$|^$",
        description="Hidden dense layers before the output layer, for example 1024, 512. Empty: none.",
        json_schema_extra={"placeholder": "none, or widths such as 1024, 512"},
    )
    head_dropout: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Share of a hidden layer's outputs that is dropped during training.",
        json_schema_extra={"unit": "share"},
    )

    @field_validator("hidden", mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        """The command line reads 1024 as a number and [1024, 512] as a list."""
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        return str(value) if isinstance(value, int) else value

    @property
    def widths(self) -> list[int]:
        """Widths of the head's dense layers, bottom to top."""
        return [int(one) for one in self.hidden.replace(",", " ").split()]

"""The Experiment: the whole answer to "what is to be run?", frozen, typed and JSON-able.

One object goes everywhere: form, queue, record, command line, "run again". Limits, units and help
are declared here once; widgets, messages and the command line's help are derived from them.
"""

from __future__ import annotations

import csv
import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from transfer.errors import RequestError

_LATER = ("images", "seconds", "intake")
_SHOWN = 200


def unit(name: str, empty: str = "") -> dict[str, Any]:
    """The unit of an option, kept in its JSON schema where the page and the command line find it.

    Args:
        name: of the unit.
        empty: what an empty field means, in a word: ``all``. Only of an option that may be None.
    """
    return {"unit": name, "empty": empty} if empty else {"unit": name}


def explain(problem: ValidationError, known: list[str], what: str) -> RequestError:
    """The first problem pydantic found, in the lab's words, with the nearest known name."""
    first = problem.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or what
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        return RequestError(f"{what} has no option {name!r}.", remedy=f"{hint}Known: {', '.join(known) or 'none'}.")
    if first["type"] == "missing":
        return RequestError(f"{what} needs {name!r}.", remedy=f"Give a value for {name!r}.")
    received = repr(first.get("input"))
    received = received if len(received) <= _SHOWN else received[:_SHOWN] + "..."
    return RequestError(f"{name} is out of its limits.", received, first["msg"] + ".")


def apart(text: str, known: Sequence[str] = ()) -> tuple[str, ...]:
    """Names with commas between them; one that holds a comma stands in quotes, or is among those that are known.

    Args:
        text: ``3,5``, ``"tench, Tinca tinca",9``, or the same without quotes where that name is known.
        known: names that may hold commas.
    """
    if text in known:
        return (text,)
    rows = list(csv.reader([text.replace("\n", " ")], skipinitialspace=True))
    pieces = [one.strip() for one in (rows[0] if rows else []) if one.strip()]
    found: list[str] = []
    while pieces:
        # The longest row of pieces that is one known name.
        several = next((n for n in range(len(pieces), 1, -1) if _one_of(pieces[:n], known)), 1)
        found.append(_one_of(pieces[:several], known) or pieces[0])
        del pieces[:several]
    return tuple(found)


def _one_of(pieces: Sequence[str], known: Sequence[str]) -> str | None:
    return next((one for one in known if [each.strip() for each in one.split(",")] == list(pieces)), None)


def together(names: Iterable[object]) -> str:
    """Names with commas between them, as `apart` reads them: one that holds a comma or a quote stands in quotes."""
    quoted = []
    for one in map(str, names):
        within = one.replace('"', '""')
        quoted.append(f'"{within}"' if set(one) & set(',"') else one)
    return ", ".join(quoted)


class Options(BaseModel):
    """A set of typed options that says in words what is wrong with a value it refuses."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as problem:
            what = type(self).__doc__ or type(self).__name__
            known = list(type(self).model_fields)
            raise explain(problem, known, what.split(".")[0].split("\n")[0]) from None


class Experiment(Options):
    """An experiment."""

    target: str = Field("optdigits", description="Data set to learn.")
    source: str | None = Field(
        None, description="Data set the backbone is trained on first. None: use its pretrained weights."
    )
    backbone: str = Field("small_cnn", description="Network whose knowledge is transferred.")
    strategy: str = Field("fine_tuning", description="How knowledge is transferred from source to target.")
    options: dict[str, Any] = Field(default_factory=dict, description="The strategy's own options.")
    labels_per_class: int | None = Field(
        None,
        ge=0,
        le=100_000,
        description="Labelled pictures per class. Empty: use all. 0: no labels.",
        json_schema_extra=unit("pictures", "all"),
    )
    without: tuple[str, ...] = Field((), description="Classes to leave out of training, validation and test.")
    epochs: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Passes over the training pictures of the target, all phases together. Empty: 20, or more where "
        "20 are fewer than 100 steps.",
        json_schema_extra=unit("epochs", "auto"),
    )
    images: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        description="Train until the network has seen this many images, instead of for a number of epochs. Every "
        "view and every source picture counts. Empty: no limit.",
        json_schema_extra=unit("images", "no limit"),
    )
    seconds: float | None = Field(
        None,
        gt=0,
        le=604_800,
        description="Train for this long on the target, instead of for a number of epochs. Only training steps "
        "count, not loading or validation. Empty: no limit.",
        json_schema_extra=unit("seconds", "no limit"),
    )
    source_epochs: int = Field(
        10,
        ge=1,
        le=1_000,
        description="Passes over the source data, before the transfer.",
        json_schema_extra=unit("epochs"),
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=4096,
        description="Pictures per training step.",
        json_schema_extra=unit("pictures"),
    )
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = Field(
        "adam", description="How gradients become steps. sgd uses momentum 0.9."
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        le=10,
        description="How far each step moves the weights. Empty: the strategy's own rate.",
        json_schema_extra=unit("a step", "auto"),
    )
    schedule: Literal["constant", "cosine", "one_cycle"] = Field(
        "constant", description="How the learning rate changes during a phase."
    )
    early_stopping: int | None = Field(
        None,
        ge=1,
        le=1_000,
        description="End a phase when validation has not improved for this many epochs. Empty: never.",
        json_schema_extra=unit("epochs", "never"),
    )
    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="Height and width of the pictures the network sees. Empty: the backbone's usual size.",
        json_schema_extra=unit("pixels", "auto"),
    )
    intake: dict[str, Any] = Field(
        default_factory=dict,
        description="How samples enter the network, by the options of their kind: tokens, for texts.",
    )
    augment: bool = Field(
        False,
        description="Vary training samples a little, differently in each epoch: pictures are shifted, rotated and "
        "zoomed, texts lose a tenth of their words.",
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of each training label that is spread over all classes.",
        json_schema_extra=unit("share"),
    )
    class_weights: bool = Field(
        False, description="Give rare classes more weight in the training loss. Validation is not weighted."
    )
    precision: Literal["float32", "mixed"] = Field(
        "float32", description="mixed: compute in half precision, which is faster on recent GPUs."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="The same seed repeats the same random choices.")

    @field_validator("without", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        """Names in a list, each as it is, for a name may hold commas; or one text with commas between them."""
        return apart(given) if isinstance(given, str) else tuple(str(name) for name in given if str(name).strip())

    def canonical_json(self) -> str:
        """Compact JSON with sorted keys: equal experiments give equal text, also in later versions of the lab."""
        fields = self.model_dump(mode="json")
        # Not there when they were not asked for, as before there were such fields: fingerprints stay.
        kept = {name: value for name, value in fields.items() if name not in _LATER or value not in (None, {})}
        return json.dumps(kept, sort_keys=True, separators=(",", ":"))

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that change whenever anything of the experiment does."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:12]

    def epochs_for(self, pictures: int) -> int:
        """The epochs asked for, or else 20 and never fewer than 100 steps; `transfer.spending` counts images.

        Ten pictures are one step an epoch: 20 of those would leave every strategy half trained. The
        rule looks at the number of pictures alone, so strategies compared on them have one budget.

        Args:
            pictures: labelled training pictures of the target; 0 counts as 1, as an epoch has at least one step.
        """
        steps = -(-max(1, pictures) // self.batch_size)
        return self.epochs or max(20, -(-100 // steps))

    def but(self, **changes: Any) -> Experiment:
        """The same experiment with some fields changed, checked again."""
        return Experiment(**{**self.model_dump(), **changes})

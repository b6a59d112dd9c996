"""KerasHub's networks for texts: ``hub:bert_tiny_en_uncased``, ``hub:gpt2_base_en``; `hub` opens them.

They are rebuilt of Keras' own layers (`hub_rebuilt`), so that a stage is a block. When a preset is first asked for, the
rebuilt network is compared with the library's own, both with the same random weights; one that differs is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from transfer.backbones import Backbone, Pretrained, hub_rebuilt
from transfer.backbones.described import Description
from transfer.backbones.hub_fetch import PREFIX, fetching
from transfer.backbones.hub_rebuilt import KIND, SMALLEST
from transfer.errors import RequestError
from transfer.texts.words import MOST_LETTERS_A_TOKEN

if TYPE_CHECKING:
    import keras

USUAL_SIZE = 64
MOST_WEIGHTS = 500_000_000
AT_ONCE = 1000
INPUTS = {"token_ids", "padding_mask", "segment_ids"}


def backbone(rest: str, preset: str, cut: str, known: Description) -> Backbone:
    """The preset as a backbone; features are the mean of its last vectors over the tokens of a text.

    Args:
        rest: what stands after ``hub:``.
        preset: its name.
        cut: name of the block above which everything is left out; empty: none is.
        known: its description.

    Raises:
        RequestError: there is no such block.
    """
    kept = known["stages"][:-1]
    if cut and cut not in kept[1:]:
        raise RequestError(f"{preset} cannot be cut there.", repr(cut), f"Cut it at {', '.join(kept[1:][-8:])}.")
    kept = kept[: kept.index(cut) + 1] if cut else known["stages"]
    weights = sum(number for name, number in zip(known["stages"], known["weights"], strict=True) if name in kept)
    return Backbone(
        key=f"{PREFIX}:{rest}",
        title=f"{preset} (KerasHub)" + (f" up to {cut}" if cut else ""),
        summary=known["summary"],
        parameters=weights,
        stages=(*kept, "mean") if cut else tuple(kept),
        size=min(USUAL_SIZE, known["places"]),
        smallest=SMALLEST,
        largest=known["places"],
        channels=0,
        licence="code Apache-2.0 (KerasHub), weights: see their page",
        reference=f"https://www.kaggle.com/models/{known['handle']}",
        modality=KIND,
        preprocessing="the preset's own tokenizer",
        parts=frozenset({"normalisation", "biases", "kernels", "attention"}),
        tokens=functools.partial(_tokens, preset, known),
        build=functools.partial(hub_rebuilt.build, known, cut),
        pretrained=Pretrained(
            source="KerasHub's",
            origin=f"kaggle.com/models/{known['handle']}",
            identity=f"{known['handle']} {cut}",
            load=functools.partial(_load, preset=preset, known=known, cut=cut),
            download_mb=known["megabytes"],
        ),
    )


def refuse_if_large(preset: str, weights: int) -> None:
    """Raises `RequestError` for a preset that nobody would want to wait for, before anything of it is fetched."""
    if weights > MOST_WEIGHTS:
        raise RequestError(
            f"This network is too large for the lab: {weights / 1e6:,.0f} million weights, a download of about "
            f"{weights * 4 / 1e9:.1f} GB, and several times that to train it.",
            preset, f"Choose one of at most {MOST_WEIGHTS / 1e6:.0f} million: hub:bert_tiny_en_uncased, "
            "hub:distil_bert_base_en_uncased or hub:gpt2_base_en, say.",
        )  # fmt: skip


def is_for_texts(network: keras.Model) -> bool:
    """Whether it reads tokens and nothing else."""
    names = {one.name for one in network.inputs}
    return "token_ids" in names and names <= INPUTS


def _load(stages: list[keras.Model], preset: str, known: Description, cut: str) -> None:
    """Puts the preset's weights into the stages; downloads them if necessary."""
    import keras_hub

    with fetching("The weights of", preset, known["handle"], known["megabytes"], KIND):
        network = keras_hub.models.Backbone.from_preset(preset)
    hub_rebuilt.copy(stages, network, known)


@functools.cache
def _tokenizer(preset: str, handle: str, megabytes: float) -> Any:
    import keras_hub

    with fetching("The tokenizer of", preset, handle, megabytes, KIND):
        return keras_hub.models.Tokenizer.from_preset(preset)


def _tokens(preset: str, known: Description, texts: Sequence[str], size: int) -> np.ndarray:
    """Tokens by the preset's own tokenizer, between its marks for the start and, of an encoder, the end.

    Not numbered as the preset does, for it may fill up with a number that is not 0, or mean something by 0 (RoBERTa's
    start): token n of the preset is n + 1 here, and 0 fills up. The stage ``embedding`` knows.

    Returns:
        int32, shape (n, size).
    """
    tokenizer = _tokenizer(preset, known["handle"], known["megabytes"])
    first = [tokenizer.start_token_id]
    last = [] if known["causal"] else [tokenizer.end_token_id]
    room = size - len(first) - len(last)
    found = np.zeros((len(texts), size), "int32")
    # Half of a surrogate pair cannot be written in UTF-8, and what lies far behind is not read.
    begun = [one[: size * MOST_LETTERS_A_TOKEN].encode("utf-8", "replace").decode() for one in texts]
    for at in range(0, len(begun), AT_ONCE):
        said = tokenizer(begun[at : at + AT_ONCE])
        several = said.to_list() if hasattr(said, "to_list") else said
        for row, inside in zip(found[at : at + AT_ONCE], several, strict=True):
            whole = [*first, *inside[:room], *last]
            row[: len(whole)] = np.array(whole, "int32") + 1
    return found

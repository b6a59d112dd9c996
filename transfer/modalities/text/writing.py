"""A network that reads from left to right goes on writing a text, and says how well it foresaw one."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from transfer.backbones import Backbone
from transfer.errors import RequestError
from transfer.modalities.text import next_token

# A text is cut here and there where it is judged: characters, and tokens that are written at most.
MOST_LETTERS, MOST_WRITTEN = 40_000, 400
OVERLAP = 0.5
TOGETHER = 16


class Writer:
    """The stages of a causal backbone, with what they hold now, as a model of language.

    What it writes comes from the stages alone: a head that names classes has no part in it.

    Args:
        backbone: a causal one.
        stages: all of its stages, bottom to top.

    Raises:
        RequestError: the backbone does not read from left to right, or the stages are not all there.
    """

    def __init__(self, backbone: Backbone, stages: list[keras.Model]) -> None:
        if backbone.language != "causal" or len(stages) != len(backbone.stages) or backbone.written is None:
            raise RequestError(
                "This network cannot write: only one that reads from left to right, and is whole, can.",
                f"{backbone.title}, {len(stages)} of {len(backbone.stages)} stages",
                "Choose a run whose backbone is tiny_gpt, with a strategy that keeps all of its stages.",
            )
        self.backbone, self.size = backbone, int(stages[0].input_shape[-1])
        self.trunk, self.table = next_token.trunk(stages)

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        """How much each token is expected after each place, shape (n, size, words), float32."""
        rows = self.trunk.predict_on_batch(tokens)
        return np.asarray(keras.ops.convert_to_numpy(next_token.logits(rows, self.table)))

    def encoded(self, text: str) -> np.ndarray:
        """All tokens of a text, with the mark that begins it, shape (n,)."""
        assert self.backbone.tokens is not None
        row = self.backbone.tokens([text], len(text.encode("utf-8", "replace")) + 3)[0]
        return np.asarray(row[row != 0])

    def go_on(self, text: str, count: int = 80, temperature: float = 0.8, seed: int = 0) -> str:
        """What the network writes after a text, without the text.

        Each token is drawn from what the network expects next. It always writes something, and in the manner of what it
        has read, whatever the text is about; it does not know what it says.

        Args:
            text: any; empty: it begins by itself. Spaces at the end are taken off.
            count: tokens to write, 1 to `MOST_WRITTEN`.
            temperature: 0: always the likeliest token, which soon goes round in circles; 1: as likely as the network
                finds it; above: wilder. 0 to 5.
            seed: equal seeds write equal texts.

        Raises:
            RequestError: a number is out of its range.
        """
        for name, value, least, most in (("count", count, 1, MOST_WRITTEN), ("temperature", temperature, 0, 5)):
            if not (math.isfinite(value) and least <= value <= most):
                raise RequestError(f"The {name} is out of range.", value, f"Give {least} to {most}.")
        random = np.random.default_rng(seed)
        begun = self.encoded(text.rstrip())
        row = [int(one) for one in begun]
        for _ in range(count):
            seen = row[-self.size :]
            tokens = np.zeros((1, self.size), "int32")
            tokens[0, : len(seen)] = seen
            row.append(_drawn(self.logits(tokens)[0, len(seen) - 1], temperature, random))
        assert self.backbone.written is not None
        return self.backbone.written(row[len(begun) :])

    def nats(self, text: str) -> float:
        """The negative log-likelihood of a whole text; each token is judged once, after up to ``size`` before it."""
        tokens = self.encoded(text)
        step = max(1, int(self.size * (1 - OVERLAP)))
        starts = list(range(0, max(1, len(tokens) - self.size + step), step))
        total = 0.0
        for at in range(0, len(starts), TOGETHER):
            some = starts[at : at + TOGETHER]
            windows = np.zeros((TOGETHER, self.size), "int32")  # always as many: another number would be traced anew
            for row, start in zip(windows, some, strict=False):
                row[: len(tokens[start : start + self.size])] = tokens[start : start + self.size]
            expected = self.logits(windows).astype("float64")
            for place, start in enumerate(some):
                first = 0 if start == 0 else self.size - step - 1  # what an earlier window has judged is not again
                real = int((windows[place] != 0).sum())
                total += sum_nats(expected[place, first : real - 1], windows[place, first + 1 : real])
        return total

    def bits_a_character(self, *texts: str) -> float:
        """How surprised the network is by texts: bits for each character, 0 or more; lower is better.

        Counted by character, so networks with different tokens can be compared. A text's likelihood is that of its
        usual tokens; other ways to cut it would add a little, so this is a bound from above. Each character costs about
        6.6 bits when a hundred are equally likely, and 1 to 1.5 for the best networks on English.

        Args:
            texts: any; those without a character do not count.

        Raises:
            RequestError: there is no character in them, or more than `MOST_LETTERS`.

        Reference:
            Al-Rfou et al. 2019, Character-level language modeling with deeper self-attention, section 3 and its
            conversion from words: total nats / (ln 2 x characters).
        """
        letters = sum(map(len, texts))
        if not 0 < letters <= MOST_LETTERS:
            raise RequestError(
                "Bits a character need a text.", f"{letters:,} characters", f"Give 1 to {MOST_LETTERS:,} characters."
            )
        return sum(self.nats(one) for one in texts if one) / math.log(2) / letters


def sum_nats(expected: np.ndarray, came: np.ndarray) -> float:
    """The negative log-likelihood of tokens, nats.

    Args:
        expected: logits, shape (n, words).
        came: which token it was, shape (n,).
    """
    highest = expected.max(axis=1, keepdims=True, initial=-np.inf)
    spread = np.log(np.exp(expected - highest).sum(axis=1)) + highest[:, 0]
    return float((spread - expected[np.arange(len(came)), came]).sum())


def _drawn(logits: np.ndarray, temperature: float, random: np.random.Generator) -> int:
    """One token; never what fills up or begins a text."""
    likely = logits.astype("float64")
    likely[:2] = -np.inf
    if temperature == 0:
        return int(likely.argmax())
    grown: Any = np.exp((likely - likely.max()) / max(temperature, 1e-3))
    return int(random.choice(len(grown), p=grown / grown.sum()))
